package io.loomstream.engine.fleet;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.loomstream.engine.posix.StatBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** A file system where looking at some names fails with an errno; all else is passed on. */
final class FaultyView implements FileView {
    private final FileView real;
    private final Map<String, Integer> errnos;

    FaultyView(FileView real, Map<String, Integer> errnos) {
        this.real = real;
        this.errnos = errnos;
    }

    /** Faults by the last name of a path: "stat:x.db", "open:folder" or "next:folder". */
    static Map<String, Integer> faults() {
        return new ConcurrentHashMap<>();
    }

    private String opened = "";

    private int fault(String call, byte[] path, int length) {
        String text = new String(path, 0, length, UTF_8);
        return errnos.getOrDefault(call + ":" + text.substring(text.lastIndexOf('/') + 1), 0);
    }

    @Override
    public int open(byte[] directory, int length) {
        opened = new String(directory, 0, length, UTF_8);
        int errno = fault("open", directory, length);
        return errno != 0 ? errno : real.open(directory, length);
    }

    @Override
    public int next() {
        int errno = errnos.getOrDefault("next:" + opened.substring(opened.lastIndexOf('/') + 1), 0);
        return errno != 0 ? -errno : real.next();
    }

    @Override
    public byte[] name() {
        return real.name();
    }

    @Override
    public int nameLength() {
        return real.nameLength();
    }

    @Override
    public int type() {
        return real.type();
    }

    @Override
    public int statHere(byte[] name, int length, StatBuffer into) {
        int errno = fault("stat", name, length);
        return errno != 0 ? errno : real.statHere(name, length, into);
    }

    @Override
    public int stat(byte[] path, int length, boolean followLink, StatBuffer into) {
        int errno = fault("stat", path, length);
        return errno != 0 ? errno : real.stat(path, length, followLink, into);
    }

    @Override
    public long threadCpuNanos() {
        return real.threadCpuNanos();
    }

    @Override
    public void close() {
        real.close();
    }
}
