package io.loomstream.engine.fleet;

import io.loomstream.engine.posix.DirectoryReader;
import io.loomstream.engine.posix.Posix;
import io.loomstream.engine.posix.StatBuffer;
import java.util.Optional;

/**
 * The file system as the scanner sees it: listings and stats, never the content of a file. Names are bytes. Failures are
 * errno values; {@link DirectoryReader} names those that matter. For one thread at a time.
 */
interface FileView extends AutoCloseable {
    /** Opens a directory by its absolute path, closing the one open before; 0 or the errno. */
    int open(byte[] directory, int length);

    /** Goes to the next entry of the open directory: 1 when there is one, 0 at the end, or the errno negated. */
    int next();

    /** The bytes of the current entry's name, valid until the next one. */
    byte[] name();

    int nameLength();

    /** A TYPE constant of {@link DirectoryReader}. */
    int type();

    /** Stats a file in the open directory without following a link; 0 or the errno. */
    int statHere(byte[] name, int length, StatBuffer into);

    /** Stats an absolute path; 0 or the errno. */
    int stat(byte[] path, int length, boolean followLink, StatBuffer into);

    /** CPU time of the thread that runs this, nanoseconds; -1 when unknown. */
    long threadCpuNanos();

    /** Closes the open directory, if any; another can be opened. */
    @Override
    void close();

    /** By system calls where they exist, else by {@code java.nio}. */
    static FileView of(Optional<Posix> posix) {
        return posix.<FileView>map(calls -> new PosixFileView(calls.newDirectoryReader()))
                .orElseGet(NioFileView::new);
    }
}
