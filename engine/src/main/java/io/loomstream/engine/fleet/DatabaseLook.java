package io.loomstream.engine.fleet;

import io.loomstream.engine.posix.DirectoryReader;
import io.loomstream.engine.posix.StatBuffer;
import org.jspecify.annotations.Nullable;

/** Stats a database of the open directory and its side files. For one thread at a time. */
final class DatabaseLook {
    private static final int ENAMETOOLONG = DirectoryReader.ENAMETOOLONG;
    private static final int UNKNOWN = 0;

    private final FileView view;
    private final StatBuffer wal = new StatBuffer();
    private final StatBuffer journal = new StatBuffer();
    private final byte[] sideName = new byte[DirectoryTable.PATH_BYTES_MAX + 16];
    private long filesStated;
    private int errno;

    DatabaseLook(FileView view) {
        this.view = view;
    }

    long filesStated() {
        return filesStated;
    }

    /** Why the last stamp could not be taken. */
    int errno() {
        return errno;
    }

    int statHere(byte[] name, int length, StatBuffer into) {
        filesStated++;
        return view.statHere(name, length, into);
    }

    /**
     * The stamp of a database whose own file was just stated.
     *
     * @param withWal whether there may be a {@code -wal}
     * @return null when a side file could not be looked at: then {@link #errno} says why
     */
    @Nullable
    DatabaseStamp stamp(byte[] name, int length, StatBuffer file, boolean withWal, boolean withJournal, long nowNanos) {
        int walErrno = withWal ? statSide(name, length, Selection.WAL, wal) : DirectoryReader.ENOENT;
        int journalErrno = withJournal ? statSide(name, length, Selection.JOURNAL, journal) : DirectoryReader.ENOENT;
        if (isTrouble(walErrno) || isTrouble(journalErrno)) {
            errno = isTrouble(walErrno) ? walErrno : journalErrno;
            return null;
        }
        return DatabaseStamp.of(file, walErrno == 0 ? wal : null, journalErrno == 0 ? journal : null, nowNanos);
    }

    /** The side files' part of a stamp alone; 0, which no stamp has, when one could not be looked at. */
    int sides(byte[] name, int length, boolean withWal, boolean withJournal) {
        int walErrno = withWal ? statSide(name, length, Selection.WAL, wal) : DirectoryReader.ENOENT;
        int journalErrno = withJournal ? statSide(name, length, Selection.JOURNAL, journal) : DirectoryReader.ENOENT;
        if (isTrouble(walErrno) || isTrouble(journalErrno)) {
            return UNKNOWN;
        }
        return FileDigest.sides(
                walErrno == 0 ? FileDigest.ofContent(wal) : FileDigest.ABSENT,
                journalErrno == 0 ? FileDigest.of(journal) : FileDigest.ABSENT);
    }

    /** A side file whose name is longer than the system takes cannot exist. */
    private static boolean isTrouble(int errno) {
        return errno != 0 && errno != DirectoryReader.ENOENT && errno != ENAMETOOLONG;
    }

    private int statSide(byte[] name, int length, byte[] suffix, StatBuffer into) {
        System.arraycopy(name, 0, sideName, 0, length);
        System.arraycopy(suffix, 0, sideName, length, suffix.length);
        return statHere(sideName, length + suffix.length, into);
    }
}
