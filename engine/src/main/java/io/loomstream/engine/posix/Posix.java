package io.loomstream.engine.posix;

import java.io.EOFException;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * System calls on raw descriptors, Linux only. Unlike a {@code FileChannel}, a descriptor here is closed by its owner
 * alone: never by an interrupted thread, never by the garbage collector. That matters because closing any descriptor of
 * a database file drops every POSIX lock this process has on it, SQLite's own included.
 *
 * <p>Thread-safe. Calls block for as long as the kernel does and are not interruptible; a few virtual threads at once
 * may be pinned in them.
 */
public final class Posix {
    private static final int EPERM = 1;
    private static final int ENOENT = 2;
    private static final int EINTR = 4;
    private static final int EAGAIN = 11;
    private static final int EACCES = 13;
    private static final int EEXIST = 17;
    private static final int ELOOP = 40;

    private static final int O_RDONLY = 0;
    private static final int O_WRONLY = 1;
    private static final int O_RDWR = 2;
    private static final int O_CREAT = 0x40;
    private static final int O_EXCL = 0x80;
    private static final int O_CLOEXEC = 0x80000;
    private static final int O_NOFOLLOW_AMD64 = 0x20000;
    private static final int O_NOFOLLOW_AARCH64 = 0x8000;
    private static final int F_GETLK = 5;
    private static final int F_SETLK = 6;
    private static final int F_OFD_GETLK = 36;
    private static final int F_OFD_SETLK = 37;
    private static final short F_RDLCK = 0;
    private static final short F_WRLCK = 1;
    private static final short F_UNLCK = 2;
    private static final int AT_FDCWD = -100;
    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int STATX_BASIC_AND_BTIME = 0x7FF | 0x800;

    /** Nearly as many as carrier threads can use at once; a virtual thread waits here rather than allocate another. */
    private static final int SCRATCH_COUNT = 16;

    private final MethodHandle open;
    private final MethodHandle close;
    private final MethodHandle pread;
    private final MethodHandle pwrite;
    private final MethodHandle fcntl;
    private final MethodHandle statx;
    private final MethodHandle fchmod;
    private final MethodHandle fchown;
    private final MethodHandle futimens;
    private final MethodHandle fsync;
    private final MethodHandle ftruncate;
    private final Foreign foreign;
    private final int noFollow;
    private final BlockingQueue<Scratch> scratches = new ArrayBlockingQueue<>(SCRATCH_COUNT);

    private Posix(Foreign foreign) throws ReflectiveOperationException {
        this.open = foreign.function("open");
        this.close = foreign.function("close");
        this.pread = foreign.function("pread");
        this.pwrite = foreign.function("pwrite");
        this.fcntl = foreign.function("fcntl");
        this.statx = foreign.function("statx");
        this.fchmod = foreign.function("fchmod");
        this.fchown = foreign.function("fchown");
        this.futimens = foreign.function("futimens");
        this.fsync = foreign.function("fsync");
        this.ftruncate = foreign.function("ftruncate");
        this.foreign = foreign;
        this.noFollow = System.getProperty("os.arch", "").equals("aarch64") ? O_NOFOLLOW_AARCH64 : O_NOFOLLOW_AMD64;
        for (int i = 0; i < SCRATCH_COUNT; i++) {
            scratches.add(new Scratch(foreign));
        }
    }

    /** Made when it is first asked for; its scratches are a megabyte of native memory. */
    private static final class OfProcess {
        private static final Optional<Posix> POSIX = create();
    }

    /**
     * The one of this process. Empty where these calls do not exist: another system, a 32-bit one, or a JVM without a foreign
     * linker.
     */
    public static Optional<Posix> load() {
        return OfProcess.POSIX;
    }

    private static Optional<Posix> create() {
        String architecture = System.getProperty("os.arch", "");
        boolean known = architecture.equals("amd64") || architecture.equals("aarch64");
        if (!System.getProperty("os.name", "").equals("Linux") || !known) {
            return Optional.empty();
        }
        return Foreign.load().flatMap(foreign -> {
            try {
                return Optional.of(new Posix(foreign));
            } catch (ReflectiveOperationException missing) {
                return Optional.empty();
            }
        });
    }

    /**
     * A reader of directories with native memory of its own (about 40 KB), for one thread at a time.
     *
     * @throws UnsupportedOperationException when libc lacks a function that it needs
     */
    public DirectoryReader newDirectoryReader() {
        try {
            return new DirectoryReader(foreign);
        } catch (ReflectiveOperationException missing) {
            throw new UnsupportedOperationException("directories cannot be read by system calls here", missing);
        }
    }

    /**
     * Opens a file for reading.
     *
     * @throws NoSuchFileException only when there is no such file
     */
    public int openReadOnly(Path path) throws IOException {
        return open(path, O_RDONLY, 0);
    }

    /**
     * Opens a file for reading and writing.
     *
     * @throws NoSuchFileException only when there is no such file
     */
    public int openReadWrite(Path path) throws IOException {
        return open(path, O_RDWR, 0);
    }

    /**
     * Opens a file for reading and writing, an empty one if there is none. A symbolic link at the path is refused.
     *
     * @param mode permission bits of a new one, of which the umask takes some away
     */
    public int openOrCreate(Path path, int mode) throws IOException {
        return open(path, O_RDWR | O_CREAT | noFollow, mode);
    }

    /**
     * Creates a file for writing; never follows a link.
     *
     * @param mode permission bits, of which the umask takes some away
     * @throws FileAlreadyExistsException when anything has that name
     */
    public int createNew(Path path, int mode) throws IOException {
        return open(path, O_WRONLY | O_CREAT | O_EXCL, mode);
    }

    private int open(Path path, int flags, int mode) throws IOException {
        Scratch scratch = take();
        try {
            while (true) {
                int fd = (int) invoke(open, scratch, scratch.path(path), flags | O_CLOEXEC, mode, 0);
                if (fd >= 0) {
                    return fd;
                }
                if (scratch.errno() != EINTR) {
                    throw failure("open", path.toString(), scratch.errno());
                }
            }
        } finally {
            scratches.add(scratch);
        }
    }

    /**
     * Closes a descriptor that was written to; the number is invalid afterwards whatever happens.
     *
     * @throws IOException when the file system tells only now that something could not be written, as NFS does
     */
    public void closeWritten(int fd) throws IOException {
        Scratch scratch = take();
        try {
            // Interrupted, it is closed all the same, and another file may have got the number: not again.
            if ((int) invoke(close, scratch, fd, 0, 0, 0) != 0 && scratch.errno() != EINTR) {
                throw failure("close", "descriptor " + fd, scratch.errno());
            }
        } finally {
            scratches.add(scratch);
        }
    }

    /** Closes a descriptor; the number is invalid afterwards whatever happens. */
    public void close(int fd) {
        Scratch scratch = take();
        try {
            // Linux frees the number even when close reports an error of an earlier write: see closeWritten.
            long ignored = invoke(close, scratch, fd, 0, 0, 0);
        } finally {
            scratches.add(scratch);
        }
    }

    /**
     * Reads up to {@code length} bytes at a position; fewer only at the end of the file.
     *
     * @return bytes read, 0 at or beyond the end
     */
    public int read(int fd, long position, byte[] buffer, int offset, int length) throws IOException {
        Scratch scratch = take();
        try {
            int done = 0;
            while (done < length) {
                int wanted = Math.min(length - done, Scratch.DATA_BYTES);
                long got = invoke(pread, scratch, fd, scratch.dataAddress(), wanted, position + done);
                if (got < 0) {
                    if (scratch.errno() == EINTR) {
                        continue;
                    }
                    throw failure("pread", "descriptor " + fd + " at " + (position + done), scratch.errno());
                }
                scratch.copyData(buffer, offset + done, (int) got);
                done += (int) got;
                if (got < wanted) {
                    break;
                }
            }
            return done;
        } finally {
            scratches.add(scratch);
        }
    }

    /** Writes all of {@code length} bytes at a position. */
    public void write(int fd, long position, byte[] buffer, int offset, int length) throws IOException {
        Scratch scratch = take();
        try {
            int done = 0;
            while (done < length) {
                int count = Math.min(length - done, Scratch.DATA_BYTES);
                scratch.putData(buffer, offset + done, count);
                writeData(scratch, fd, position + done, count);
                done += count;
            }
        } finally {
            scratches.add(scratch);
        }
    }

    private void writeData(Scratch scratch, int fd, long position, int count) throws IOException {
        int done = 0;
        while (done < count) {
            long wrote = invoke(pwrite, scratch, fd, scratch.dataAddress() + done, count - done, position + done);
            if (wrote > 0) {
                done += (int) wrote;
            } else if (wrote == 0 || scratch.errno() != EINTR) {
                throw failure("pwrite", "descriptor " + fd + " at " + (position + done), scratch.errno());
            }
        }
    }

    /**
     * Copies a file's bytes, without a detour through the heap.
     *
     * @param length how many there are, from the first one on
     * @throws EOFException when there are fewer
     */
    public void copy(int from, int to, long length) throws IOException {
        long done = 0;
        while (done < length) {
            long copied = copyChunk(from, to, done, Math.min(length - done, Scratch.DATA_BYTES));
            if (copied == 0) {
                throw new EOFException("descriptor " + from + " ends at " + done + " of " + length + " bytes");
            }
            done += copied;
        }
    }

    private long copyChunk(int from, int to, long position, long length) throws IOException {
        Scratch scratch = take();
        try {
            while (true) {
                long got = invoke(pread, scratch, from, scratch.dataAddress(), length, position);
                if (got >= 0) {
                    writeData(scratch, to, position, (int) got);
                    return got;
                }
                if (scratch.errno() != EINTR) {
                    throw failure("pread", "descriptor " + from + " at " + position, scratch.errno());
                }
            }
        } finally {
            scratches.add(scratch);
        }
    }

    /** Cuts a file that is open for writing. */
    public void truncate(int fd, long length) throws IOException {
        call("ftruncate", ftruncate, fd, length, 0);
    }

    /** Sets the permission bits whatever the umask is. */
    public void changeMode(int fd, int mode) throws IOException {
        call("fchmod", fchmod, fd, mode, 0);
    }

    /** Sets owner and group; -1 leaves one alone. */
    public void changeOwner(int fd, int uid, int gid) throws IOException {
        call("fchown", fchown, fd, uid, gid);
    }

    /** Sets the times of the last access and the last modification. */
    public void setTimes(int fd, Instant time) throws IOException {
        Scratch scratch = take();
        try {
            if ((int) invoke(futimens, scratch, fd, scratch.times(time.getEpochSecond(), time.getNano()), 0, 0) != 0) {
                throw failure("futimens", "descriptor " + fd, scratch.errno());
            }
        } finally {
            scratches.add(scratch);
        }
    }

    /** Waits until the bytes, length and times of a file, or the names in a directory, are on the disk. */
    public void force(int fd) throws IOException {
        call("fsync", fsync, fd, 0, 0);
    }

    private void call(String name, MethodHandle function, int fd, long a, long b) throws IOException {
        Scratch scratch = take();
        try {
            while ((int) invoke(function, scratch, fd, a, b, 0) != 0) {
                if (scratch.errno() != EINTR) {
                    throw failure(name, "descriptor " + fd, scratch.errno());
                }
            }
        } finally {
            scratches.add(scratch);
        }
    }

    /**
     * Takes an exclusive lock on a whole file without waiting. It keeps out every other descriptor; on a file system without
     * open-file-description locks other processes only, and then it goes when this process closes any descriptor of the file.
     *
     * @return false when somebody else has a lock on it
     */
    public boolean tryLockWhole(int fd) throws IOException {
        try {
            return setLock(fd, F_OFD_SETLK, F_WRLCK, 0, 0);
        } catch (FileSystemException withoutSuchLocks) {
            return setLock(fd, F_SETLK, F_WRLCK, 0, 0);
        }
    }

    /**
     * Takes a shared open-file-description lock without waiting.
     *
     * @return false when somebody holds an exclusive lock on a byte of the range
     * @throws IOException when the file system has no such locks
     */
    public boolean tryLockShared(int fd, long start, long length) throws IOException {
        return setLock(fd, F_OFD_SETLK, F_RDLCK, start, length);
    }

    /** Gives up this descriptor's locks in the range. */
    public void unlock(int fd, long start, long length) throws IOException {
        setLock(fd, F_OFD_SETLK, F_UNLCK, start, length);
    }

    /** Whether another owner, in this process or not, holds an exclusive lock on a byte of the range. */
    public boolean heldExclusivelyByOther(int fd, long start, long length) throws IOException {
        return conflicting(fd, F_OFD_GETLK, F_RDLCK, start, length);
    }

    /** Whether another owner, in this process or not, holds any lock on a byte of the range. */
    public boolean heldByOther(int fd, long start, long length) throws IOException {
        return conflicting(fd, F_OFD_GETLK, F_WRLCK, start, length);
    }

    /**
     * Whether another process holds any POSIX lock on a byte of the range; this process's own are not seen. For file
     * systems without open-file-description locks.
     */
    public boolean heldByOtherProcess(int fd, long start, long length) throws IOException {
        return conflicting(fd, F_GETLK, F_WRLCK, start, length);
    }

    /**
     * The file at a path, following links.
     *
     * @return empty only when there is no such file (ENOENT)
     */
    public Optional<FileStat> stat(Path path) throws IOException {
        Scratch scratch = take();
        try {
            long result = invoke(
                    statx, scratch, AT_FDCWD, scratch.path(path), 0, STATX_BASIC_AND_BTIME, scratch.dataAddress());
            if (result == 0) {
                return Optional.of(scratch.stat());
            }
            if (scratch.errno() == ENOENT) {
                return Optional.empty();
            }
            throw failure("statx", path.toString(), scratch.errno());
        } finally {
            scratches.add(scratch);
        }
    }

    /** The file behind a descriptor. */
    public FileStat stat(int fd) throws IOException {
        Scratch scratch = take();
        try {
            long result = invoke(
                    statx,
                    scratch,
                    fd,
                    scratch.emptyPath(),
                    AT_EMPTY_PATH,
                    STATX_BASIC_AND_BTIME,
                    scratch.dataAddress());
            if (result != 0) {
                throw failure("statx", "descriptor " + fd, scratch.errno());
            }
            return scratch.stat();
        } finally {
            scratches.add(scratch);
        }
    }

    private boolean setLock(int fd, int command, short type, long start, long length) throws IOException {
        Scratch scratch = take();
        try {
            if ((int) invoke(fcntl, scratch, fd, command, scratch.flock(type, start, length), 0) == 0) {
                return true;
            }
            if (scratch.errno() == EAGAIN || scratch.errno() == EACCES) {
                return false;
            }
            throw failure("fcntl(" + command + ")", "descriptor " + fd, scratch.errno());
        } finally {
            scratches.add(scratch);
        }
    }

    private boolean conflicting(int fd, int command, short type, long start, long length) throws IOException {
        Scratch scratch = take();
        try {
            if ((int) invoke(fcntl, scratch, fd, command, scratch.flock(type, start, length), 0) != 0) {
                throw failure("fcntl(" + command + ")", "descriptor " + fd, scratch.errno());
            }
            return scratch.flockType() != F_UNLCK;
        } finally {
            scratches.add(scratch);
        }
    }

    private Scratch take() {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return scratches.take();
                } catch (InterruptedException e) {
                    // A descriptor must be closable and a lock releasable by an interrupted thread too.
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static long invoke(MethodHandle function, Scratch scratch, long a, long b, long c, long d) {
        return invoke(function, scratch, a, b, c, d, 0);
    }

    private static long invoke(MethodHandle function, Scratch scratch, long a, long b, long c, long d, long e) {
        return invoke(function, scratch.errnoSegment(), a, b, c, d, e);
    }

    static long invoke(MethodHandle function, Object errnoSegment, long a, long b, long c, long d, long e) {
        try {
            return (long) function.invokeExact(errnoSegment, a, b, c, d, e);
        } catch (RuntimeException | Error e1) {
            throw e1;
        } catch (Throwable impossible) {
            throw new AssertionError("a native call threw a checked exception", impossible);
        }
    }

    static IOException failure(String call, String what, int errno) {
        return switch (errno) {
            case ENOENT -> new NoSuchFileException(what);
            case EEXIST -> new FileAlreadyExistsException(what);
            case EACCES, EPERM -> new AccessDeniedException(what, null, call + " failed with errno " + errno);
            default -> new FileSystemException(what, null, call + " failed: " + text(errno));
        };
    }

    /** What people know the usual errors of a disk by. */
    private static String text(int errno) {
        return switch (errno) {
            case 5 -> "Input/output error";
            case 23, 24 -> "Too many open files";
            case 27 -> "File too large";
            case 28 -> "No space left on device";
            case 30 -> "Read-only file system";
            case ELOOP -> "it is a symbolic link";
            case 122 -> "Disk quota exceeded";
            default -> "errno " + errno;
        };
    }
}
