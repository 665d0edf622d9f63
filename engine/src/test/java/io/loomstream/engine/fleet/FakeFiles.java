package io.loomstream.engine.fleet;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.posix.DirectoryReader;
import io.loomstream.engine.posix.StatBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A file system in memory whose clock has coarse ticks, and the clock itself. Something may happen before every call of the
 * scanner, as other processes would have it.
 */
final class FakeFiles implements FileView, Time {
    private static final int DIRECTORY_MODE = 0x41ED;
    private static final int FILE_MODE = 0x81A4;

    /** One file or directory. */
    static final class Node {
        final boolean directory;
        final long inode;
        final long bornNanos;
        long sizeBytes;
        long changedNanos;

        Node(boolean directory, long inode, long bornNanos) {
            this.directory = directory;
            this.inode = inode;
            this.bornNanos = bornNanos;
            this.changedNanos = bornNanos;
        }
    }

    private final long tickNanos;
    private final Map<String, Node> nodes = new TreeMap<>();
    private long nowNanos = Instant.parse("2026-01-01T00:00:00Z").getEpochSecond() * 1_000_000_000L;
    private long clockErrorNanos;
    private long monotonicNanos;
    private long inodes = 1;
    private Runnable meanwhile = () -> {};
    private String open = "";
    private List<String> listing = new ArrayList<>();
    private int entry;

    FakeFiles(Duration tick) {
        this.tickNanos = tick.toNanos();
    }

    void meanwhile(Runnable somethingElse) {
        meanwhile = somethingElse;
    }

    /** From now on the clock that the scanner reads is wrong by so much; files are stamped by the right one. */
    void clockError(Duration error) {
        clockErrorNanos = error.toNanos();
    }

    void advance(long nanos) {
        nowNanos += nanos;
        monotonicNanos += nanos;
    }

    /** Sets the wall clock, by which files are stamped too. */
    void setClock(Duration difference) {
        nowNanos += difference.toNanos();
    }

    private long stamp() {
        return nowNanos - nowNanos % tickNanos;
    }

    void make(String path, boolean directory) {
        nodes.put(path, new Node(directory, inodes++, stamp()));
        touchParent(path);
    }

    void remove(String path) {
        if (nodes.remove(path) != null) {
            touchParent(path);
        }
    }

    boolean exists(String path) {
        return nodes.containsKey(path);
    }

    void touch(String path) {
        nodes.get(path).changedNanos = stamp();
    }

    private void touchParent(String path) {
        Node parent = nodes.get(path.substring(0, path.lastIndexOf('/')));
        if (parent != null) {
            parent.changedNanos = stamp();
        }
    }

    private int stat(String path, StatBuffer into) {
        Runnable happens = meanwhile;
        happens.run();
        Node node = nodes.get(path);
        if (node == null) {
            return DirectoryReader.ENOENT;
        }
        into.set(
                1,
                node.inode,
                node.sizeBytes,
                node.changedNanos,
                node.changedNanos,
                node.bornNanos,
                node.directory ? DIRECTORY_MODE : FILE_MODE);
        return 0;
    }

    @Override
    public int open(byte[] directory, int length) {
        meanwhile.run();
        open = new String(directory, 0, length, UTF_8);
        if (!nodes.containsKey(open)) {
            return DirectoryReader.ENOENT;
        }
        listing = nodes.keySet().stream()
                .filter(path -> path.startsWith(open + "/") && path.indexOf('/', open.length() + 1) < 0)
                .toList();
        entry = -1;
        return 0;
    }

    @Override
    public int next() {
        entry++;
        return entry < listing.size() ? 1 : 0;
    }

    @Override
    public byte[] name() {
        return listing.get(entry).substring(open.length() + 1).getBytes(UTF_8);
    }

    @Override
    public int nameLength() {
        return name().length;
    }

    @Override
    public int type() {
        Node node = nodes.get(listing.get(entry));
        return node == null
                ? DirectoryReader.TYPE_UNKNOWN
                : node.directory ? DirectoryReader.TYPE_DIRECTORY : DirectoryReader.TYPE_REGULAR;
    }

    @Override
    public int statHere(byte[] name, int length, StatBuffer into) {
        return stat(open + "/" + new String(name, 0, length, UTF_8), into);
    }

    @Override
    public int stat(byte[] path, int length, boolean followLink, StatBuffer into) {
        return stat(new String(path, 0, length, UTF_8), into);
    }

    @Override
    public long threadCpuNanos() {
        return -1;
    }

    @Override
    public void close() {
        open = "";
    }

    @Override
    public Instant now() {
        return Instant.ofEpochSecond(0, nowNanos + clockErrorNanos);
    }

    @Override
    public long nanoTime() {
        return monotonicNanos;
    }

    @Override
    public void sleep(Duration duration) {
        advance(duration.toNanos());
    }
}
