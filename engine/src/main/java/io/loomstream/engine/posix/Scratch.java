package io.loomstream.engine.posix;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Path;

/** Native memory for one system call at a time: errno, a path, a struct flock or statx, and data read. */
final class Scratch {
    static final int DATA_BYTES = 64 * 1024;

    private static final int ERRNO_BYTES = 16;
    private static final int PATH_BYTES = 4096;
    private static final int FLOCK_BYTES = 32;
    private static final int TIMESPEC_BYTES = 16;
    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    private final ByteBuffer errno = direct(ERRNO_BYTES);
    private final ByteBuffer path = direct(PATH_BYTES);
    private final ByteBuffer flock = direct(FLOCK_BYTES);
    private final ByteBuffer data = direct(DATA_BYTES);
    private final Object errnoSegment;
    private final long pathAddress;
    private final long flockAddress;
    private final long dataAddress;

    Scratch(Foreign foreign) throws ReflectiveOperationException {
        this.errnoSegment = foreign.segment(errno);
        this.pathAddress = foreign.address(foreign.segment(path));
        this.flockAddress = foreign.address(foreign.segment(flock));
        this.dataAddress = foreign.address(foreign.segment(data));
    }

    Object errnoSegment() {
        return errnoSegment;
    }

    int errno() {
        return errno.getInt(0);
    }

    long path(Path file) throws IOException {
        byte[] name = file.toString().getBytes(StandardCharsets.UTF_8);
        if (name.length >= PATH_BYTES) {
            throw new FileSystemException(file.toString(), null, "the path is longer than " + PATH_BYTES + " bytes");
        }
        path.put(0, name);
        path.put(name.length, (byte) 0);
        return pathAddress;
    }

    long emptyPath() {
        path.put(0, (byte) 0);
        return pathAddress;
    }

    /** struct flock on 64-bit Linux: short type, short whence, long start, long length, int pid (must be 0). */
    long flock(short type, long start, long length) {
        flock.putShort(0, type);
        flock.putShort(2, (short) 0);
        flock.putInt(4, 0);
        flock.putLong(8, start);
        flock.putLong(16, length);
        flock.putLong(24, 0);
        return flockAddress;
    }

    short flockType() {
        return flock.getShort(0);
    }

    long dataAddress() {
        return dataAddress;
    }

    void putData(byte[] source, int offset, int length) {
        data.put(0, source, offset, length);
    }

    /** Two struct timespec of one time: long seconds, long nanoseconds. */
    long times(long epochSeconds, int nanos) {
        for (int offset = 0; offset < 2 * TIMESPEC_BYTES; offset += TIMESPEC_BYTES) {
            data.putLong(offset, epochSeconds);
            data.putLong(offset + Long.BYTES, nanos);
        }
        return dataAddress;
    }

    void copyData(byte[] target, int offset, int length) {
        data.get(0, target, offset, length);
    }

    /** struct statx, which is the same on every architecture (include/uapi/linux/stat.h). */
    FileStat stat() {
        return new FileStat(
                Integer.toUnsignedLong(data.getInt(136)) << 32 | Integer.toUnsignedLong(data.getInt(140)),
                data.getLong(32),
                data.getLong(40),
                time(112),
                time(96),
                time(80),
                Short.toUnsignedInt(data.getShort(28)),
                data.getInt(20),
                data.getInt(24));
    }

    private long time(int offset) {
        return data.getLong(offset) * NANOS_PER_SECOND + data.getInt(offset + 8);
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }
}
