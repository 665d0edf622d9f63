package io.loomstream.engine.sync;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.LtxTrailer;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.posix.FileStat;
import io.loomstream.engine.replica.FileAccess;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;

/**
 * The local L0 files of one database, laid out as Litestream does: {@code <meta>/ltx/0/<min>-<max>.ltx}. They are a cache
 * of work in flight: complete under their name, not synced to disk; what is durable is the replica.
 *
 * <p>Thread-safe as far as the files are: capture adds the newest, upload removes the oldest.
 */
final class LocalFiles {
    private static final int PERMISSION_BITS = 0777;
    private static final String STAGED = ".tmp";
    /** Larger files are deleted when they are done with: a spare one is to cost no disk space worth mentioning. */
    private static final long SPARE_BYTES_MAX = 64 * 1024;

    private final Path meta;
    private final Path directory;

    LocalFiles(Path meta) {
        this.meta = meta;
        this.directory = meta.resolve("ltx").resolve(Level.L0.toString());
    }

    Path cursorFile() {
        return meta.resolve("loomstream.cursor");
    }

    /** Where the page index is. */
    Path pagesFile() {
        return meta.resolve("loomstream.pages");
    }

    /** Where a page index is written before it gets its name. */
    Path pagesStaging() {
        return meta.resolve("loomstream.pages" + STAGED);
    }

    /** Gives a complete page index its name. */
    void publishPages() throws IOException {
        Files.move(pagesStaging(), pagesFile(), StandardCopyOption.ATOMIC_MOVE);
    }

    /** Creates the directories, as open to others as the database's own is. */
    void createDirectories(Path database) throws IOException {
        if (!Files.isDirectory(directory)) {
            createDirectories(FileAccess.like(database).directories());
        }
    }

    /** Removes what a kill left half-written. Only for who has the cursor file's lock: another process may be writing. */
    void deleteUnfinished() throws IOException {
        Files.walkFileTree(meta, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                if (file.toString().endsWith(STAGED)) {
                    Files.deleteIfExists(file);
                }
                return FileVisitResult.CONTINUE;
            }
        });
    }

    private void createDirectories(FileAccess.Grant access) throws IOException {
        Deque<Path> missing = new ArrayDeque<>();
        for (Path at = directory; at != null && !Files.isDirectory(at); at = at.getParent()) {
            missing.push(at);
        }
        for (Path at : missing) {
            Files.createDirectory(at);
            access.applyTo(at);
        }
    }

    /**
     * TXIDs of the local files in order; a file that covers more than one TXID is not an L0 file of ours, nor is one of the
     * last TXID there is: none could follow it.
     */
    NavigableSet<Txid> list() throws IOException {
        TreeSet<Txid> txids = new TreeSet<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
            for (Path file : files) {
                TxidRange.parseFileName(file.getFileName().toString())
                        .filter(range -> range.min().equals(range.max()) && hasNext(range))
                        .ifPresent(range -> txids.add(range.max()));
            }
        } catch (NoSuchFileException none) {
            return txids;
        }
        return txids;
    }

    /** What the files after {@code last} take, in bytes. */
    long bytesAfter(Txid last) throws IOException {
        long bytes = 0;
        for (Txid txid : list().tailSet(last, false)) {
            try {
                bytes += Files.size(path(txid));
            } catch (NoSuchFileException uploaded) {
                // An upload was faster.
            }
        }
        return bytes;
    }

    /** Whether another TXID can come after these. */
    static boolean hasNext(TxidRange range) {
        return !range.max().next().isZero();
    }

    Path path(Txid txid) {
        return directory.resolve(TxidRange.of(txid).fileName());
    }

    /** Where a file is written before it gets its name. */
    Path staging(Txid txid) {
        return directory.resolve(TxidRange.of(txid).fileName() + STAGED);
    }

    /**
     * Where the next file is written before it gets its name; begins as a file that is no longer needed, if there is one. A
     * busy database makes and drops a file a second. Using the same inode again is cheaper than that on any file system, and
     * on one without a journal by much: ext4 looks at every inode freed during the last minute before it takes a new one.
     */
    Path stagingFromSpare(Txid txid) throws IOException {
        Path staging = staging(txid);
        try {
            Files.move(spare(), staging, StandardCopyOption.ATOMIC_MOVE);
        } catch (NoSuchFileException none) {
            return staging;
        }
        return staging;
    }

    /** Removes a file that the replica has; the next one may be written into it. */
    void retire(Txid txid) throws IOException {
        Path file = path(txid);
        try {
            if (Files.size(file) <= SPARE_BYTES_MAX) {
                Files.move(file, spare(), StandardCopyOption.ATOMIC_MOVE);
            } else {
                Files.delete(file);
            }
        } catch (NoSuchFileException gone) {
            return;
        }
    }

    void deleteSpare() throws IOException {
        Files.deleteIfExists(spare());
    }

    private Path spare() {
        return directory.resolve("spare" + STAGED);
    }

    /** Gives a copy its name and, where it has not got them yet, the database's permissions. */
    void publish(StagedCopy copy, FileStat database) throws IOException {
        FileStat has = copy.stat();
        boolean right = (has.mode() & PERMISSION_BITS) == (database.mode() & PERMISSION_BITS)
                && has.uid() == database.uid()
                && has.gid() == database.gid();
        if (right) {
            Files.move(copy.file(), path(copy.next().txid()), StandardCopyOption.ATOMIC_MOVE);
        } else {
            publish(copy.file(), copy.next().txid(), database);
        }
    }

    /** Gives a complete file its name and the database's permissions. */
    void publish(Path staged, Txid txid, FileStat database) throws IOException {
        new FileAccess.Grant(database.mode() & PERMISSION_BITS, database.uid(), database.gid()).applyTo(staged);
        Files.move(staged, path(txid), StandardCopyOption.ATOMIC_MOVE);
    }

    /** The file checksum in the trailer; empty when there is no such file or it is too short to have one. */
    Optional<Long> fileChecksum(Txid txid) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(path(txid).toFile(), "r")) {
            if (file.length() < LtxTrailer.SIZE_BYTES) {
                return Optional.empty();
            }
            file.seek(file.length() - Long.BYTES);
            return Optional.of(file.readLong());
        } catch (FileNotFoundException absent) {
            return Optional.empty();
        }
    }

    /** Removes the files before {@code first}. */
    void deleteBefore(Txid first) throws IOException {
        for (Txid txid : list().headSet(first)) {
            Files.deleteIfExists(path(txid));
        }
    }

    /** Removes every local L0 file, and the page index first: another history has overtaken them. */
    void clear() throws IOException {
        Files.deleteIfExists(pagesFile());
        List<Txid> newestFirst = new ArrayList<>(list().descendingSet());
        for (Txid txid : newestFirst) {
            Files.deleteIfExists(path(txid));
        }
    }
}
