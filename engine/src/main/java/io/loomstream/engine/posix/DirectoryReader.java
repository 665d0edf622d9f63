package io.loomstream.engine.posix;

import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Lists directories and stats files by system calls, with names as the bytes they are and without an object per name.
 * One directory is open at a time; files in it are looked up relative to its descriptor, which spares the kernel the
 * walk down the path. Failures are errno values, not exceptions: the caller meets them by the thousand.
 *
 * <p>For one thread at a time. Calls block for as long as the kernel does and are not interruptible. Only directories are
 * opened, so that closing one can drop nobody's record locks.
 */
public final class DirectoryReader implements AutoCloseable {
    /** What {@code d_type} says of an entry: DT_UNKNOWN, DT_DIR, DT_REG and DT_LNK of dirent.h. */
    public static final int TYPE_UNKNOWN = 0;

    public static final int TYPE_DIRECTORY = 4;
    public static final int TYPE_REGULAR = 8;
    public static final int TYPE_LINK = 10;

    public static final int ENOENT = 2;
    public static final int EACCES = 13;
    public static final int ENOTDIR = 20;
    public static final int ENAMETOOLONG = 36;

    private static final int EINTR = 4;
    private static final int O_RDONLY_CLOEXEC = 0x80000;
    private static final int AT_FDCWD = -100;
    private static final int AT_SYMLINK_NOFOLLOW = 0x100;
    private static final int STATX_BASIC_AND_BTIME = 0x7FF | 0x800;
    private static final int CLOCK_THREAD_CPUTIME_ID = 3;

    private static final int PATH_BYTES = 4096;
    private static final int STATX_BYTES = 256;
    private static final int ENTRIES_BYTES = 32 * 1024;
    private static final int CLOSED = -1;
    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    /** struct linux_dirent64: long inode, long offset, short record length, byte type, name with a NUL. */
    private static final int DIRENT_LENGTH = 16;

    private static final int DIRENT_TYPE = 18;
    private static final int DIRENT_NAME = 19;

    private final MethodHandle open;
    private final MethodHandle close;
    private final MethodHandle statx;
    private final MethodHandle syscall;
    private final MethodHandle clock;
    private final int getdents64;
    private final int openFlags;

    private final ByteBuffer errno = direct(16);
    private final ByteBuffer path = direct(PATH_BYTES);
    private final ByteBuffer stat = direct(STATX_BYTES);
    private final ByteBuffer entries = direct(ENTRIES_BYTES);
    private final Object errnoSegment;
    private final long pathAddress;
    private final long statAddress;
    private final long entriesAddress;

    private final byte[] name = new byte[PATH_BYTES];
    private int nameLength;
    private int type;
    private int fd = CLOSED;
    private int position;
    private int filled;

    DirectoryReader(Foreign foreign) throws ReflectiveOperationException {
        this.open = foreign.function("open");
        this.close = foreign.function("close");
        this.statx = foreign.function("statx");
        this.syscall = foreign.function("syscall");
        this.clock = foreign.function("clock_gettime");
        // The number and O_DIRECTORY differ by architecture (asm/unistd.h, asm/fcntl.h). Through syscall(2), since musl
        // and
        // glibc before 2.30 export no getdents64.
        boolean arm = System.getProperty("os.arch", "").equals("aarch64");
        this.getdents64 = arm ? 61 : 217;
        this.openFlags = O_RDONLY_CLOEXEC | (arm ? 0x4000 : 0x10000);
        this.errnoSegment = foreign.segment(errno);
        this.pathAddress = foreign.address(foreign.segment(path));
        this.statAddress = foreign.address(foreign.segment(stat));
        this.entriesAddress = foreign.address(foreign.segment(entries));
    }

    /**
     * Opens a directory by its path, closing the one open before.
     *
     * @return 0, or the errno
     */
    public int open(byte[] directory, int length) {
        close();
        if (!setPath(directory, length)) {
            return ENAMETOOLONG;
        }
        long opened = Posix.invoke(open, errnoSegment, pathAddress, openFlags, 0, 0, 0);
        if ((int) opened < 0) {
            return errno.getInt(0);
        }
        fd = (int) opened;
        position = 0;
        filled = 0;
        return 0;
    }

    /**
     * Goes to the next entry, "." and ".." left out. Each entry that exists during the whole listing comes once; one that is
     * made or removed meanwhile may or may not come.
     *
     * @return 1 when there is one, 0 at the end, or the errno negated
     */
    public int next() {
        while (true) {
            if (position >= filled) {
                long got = Posix.invoke(syscall, errnoSegment, getdents64, fd, entriesAddress, ENTRIES_BYTES, 0);
                if (got <= 0) {
                    if (got < 0 && errno.getInt(0) == EINTR) {
                        continue;
                    }
                    return got == 0 ? 0 : -errno.getInt(0);
                }
                position = 0;
                filled = (int) got;
            }
            int entry = position;
            position += Short.toUnsignedInt(entries.getShort(entry + DIRENT_LENGTH));
            type = entries.get(entry + DIRENT_TYPE);
            readName(entry + DIRENT_NAME);
            if (!isDots()) {
                return 1;
            }
        }
    }

    private void readName(int from) {
        int length = 0;
        // Linux allows 255 bytes a name; some foreign file systems list longer ones, never more than a path may have.
        while (length < PATH_BYTES && entries.get(from + length) != 0) {
            length++;
        }
        nameLength = length;
        entries.get(from, name, 0, nameLength);
    }

    private boolean isDots() {
        return name[0] == '.' && (nameLength == 1 || (nameLength == 2 && name[1] == '.'));
    }

    /** The bytes of the current entry's name, valid until the next one; not to be changed. */
    public byte[] name() {
        return name;
    }

    public int nameLength() {
        return nameLength;
    }

    /** One of the TYPE constants, or another value for devices and the like. */
    public int type() {
        return type;
    }

    /**
     * Stats a file of the open directory without following a link.
     *
     * @return 0, or the errno
     */
    public int statHere(byte[] file, int length, StatBuffer into) {
        return stat(fd, file, length, AT_SYMLINK_NOFOLLOW, into);
    }

    /**
     * Stats an absolute path.
     *
     * @return 0, or the errno
     */
    public int stat(byte[] file, int length, boolean followLink, StatBuffer into) {
        return stat(AT_FDCWD, file, length, followLink ? 0 : AT_SYMLINK_NOFOLLOW, into);
    }

    private int stat(int at, byte[] file, int length, int flags, StatBuffer into) {
        if (!setPath(file, length)) {
            return ENAMETOOLONG;
        }
        if ((int) Posix.invoke(statx, errnoSegment, at, pathAddress, flags, STATX_BASIC_AND_BTIME, statAddress) != 0) {
            return errno.getInt(0);
        }
        // struct statx is the same on every architecture (include/uapi/linux/stat.h).
        into.set(
                Integer.toUnsignedLong(stat.getInt(136)) << 32 | Integer.toUnsignedLong(stat.getInt(140)),
                stat.getLong(32),
                stat.getLong(40),
                time(stat, 112),
                time(stat, 96),
                time(stat, 80),
                Short.toUnsignedInt(stat.getShort(28)));
        return 0;
    }

    /** CPU time of the thread that carries the caller, nanoseconds; -1 when the kernel does not say. */
    public long threadCpuNanos() {
        if ((int) Posix.invoke(clock, errnoSegment, CLOCK_THREAD_CPUTIME_ID, statAddress, 0, 0, 0) != 0) {
            return -1;
        }
        return stat.getLong(0) * NANOS_PER_SECOND + stat.getLong(8);
    }

    /** Closes the open directory, if any; another can be opened. */
    @Override
    public void close() {
        if (fd != CLOSED) {
            long ignored = Posix.invoke(close, errnoSegment, fd, 0, 0, 0, 0);
            fd = CLOSED;
        }
    }

    private boolean setPath(byte[] file, int length) {
        if (length >= PATH_BYTES) {
            return false;
        }
        path.put(0, file, 0, length);
        path.put(length, (byte) 0);
        return true;
    }

    private static long time(ByteBuffer stat, int offset) {
        return stat.getLong(offset) * NANOS_PER_SECOND + stat.getInt(offset + 8);
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }
}
