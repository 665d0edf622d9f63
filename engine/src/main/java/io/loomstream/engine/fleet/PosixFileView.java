package io.loomstream.engine.fleet;

import io.loomstream.engine.posix.DirectoryReader;
import io.loomstream.engine.posix.StatBuffer;

/** The file system by system calls. */
record PosixFileView(DirectoryReader reader) implements FileView {
    @Override
    public int open(byte[] directory, int length) {
        return reader.open(directory, length);
    }

    @Override
    public int next() {
        return reader.next();
    }

    @Override
    public byte[] name() {
        return reader.name();
    }

    @Override
    public int nameLength() {
        return reader.nameLength();
    }

    @Override
    public int type() {
        return reader.type();
    }

    @Override
    public int statHere(byte[] name, int length, StatBuffer into) {
        return reader.statHere(name, length, into);
    }

    @Override
    public int stat(byte[] path, int length, boolean followLink, StatBuffer into) {
        return reader.stat(path, length, followLink, into);
    }

    @Override
    public long threadCpuNanos() {
        return reader.threadCpuNanos();
    }

    @Override
    public void close() {
        reader.close();
    }
}
