package io.loomstream.engine.sync;

import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.posix.FileStat;
import java.nio.file.Path;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Which of this process's databases works on which file. Two configured paths may lead to one file (a link, a second mount),
 * and two captures of one file would close each other's descriptors, which drops SQLite's POSIX locks: a lost update
 * follows. So it is with meta directories, whose cursor file carries a POSIX lock too where there is no other kind. Thread-safe.
 */
public final class Owners {
    public static final String DATABASE = "database file";
    static final String META = "meta directory";

    private final ConcurrentMap<Inode, Path> owners = new ConcurrentHashMap<>();

    private record Inode(long device, long number) {}

    /**
     * Makes {@code path} the owner of a file or directory; again is no error.
     *
     * @param what both paths would share, for people
     * @throws ConflictException when another path has it
     */
    public void claim(FileStat file, Path path, String what) {
        Path owner = owners.putIfAbsent(new Inode(file.device(), file.inode()), path);
        if (owner != null && !owner.equals(path)) {
            throw new ConflictException(
                    path + " and " + owner + " have the same " + what + "; in one process only one of them may");
        }
    }

    /** Gives a file up, if {@code path} has it. */
    void release(FileStat file, Path path) {
        owners.remove(new Inode(file.device(), file.inode()), path);
    }
}
