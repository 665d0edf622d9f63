package io.loomstream.engine.fleet;

import io.loomstream.engine.posix.StatBuffer;
import java.util.Arrays;

/** The path of the directory that a worker is in, with room for a name behind it. For one thread at a time. */
final class DirectoryPath {
    /** A name longer than Linux allows is read whole before it is refused. */
    static final int NAME_BYTES_MAX = 4096;

    private final byte[] bytes = new byte[DirectoryTable.PATH_BYTES_MAX + NAME_BYTES_MAX + 16];
    private int length;

    /** Takes over the path of a directory; false when it is not in the table any more. */
    boolean load(PathTable table, int directory) {
        try (PathTable.Locked locked = table.lock()) {
            if (!locked.directories().isLive(directory)) {
                return false;
            }
            length = locked.directories().path(directory, bytes);
            return true;
        }
    }

    /** Stats the directory, following links; 0 or the errno. */
    int stat(FileView view, StatBuffer into) {
        return view.stat(ended(), endedLength(), true, into);
    }

    int open(FileView view) {
        return view.open(ended(), endedLength());
    }

    /** The file system's root is no name here, but a slash to the system. */
    private byte[] ended() {
        bytes[length] = '/';
        return bytes;
    }

    private int endedLength() {
        return Math.max(1, length);
    }

    byte[] copy() {
        return Arrays.copyOf(ended(), endedLength());
    }

    /** Puts a name behind the directory's path; the length of both, the bytes being in {@link #bytes}. */
    int append(byte[] name, int nameLength) {
        bytes[length] = '/';
        System.arraycopy(name, 0, bytes, length + 1, nameLength);
        return length + 1 + nameLength;
    }

    /** The directory's path, with what was appended behind it. */
    byte[] bytes() {
        return bytes;
    }
}
