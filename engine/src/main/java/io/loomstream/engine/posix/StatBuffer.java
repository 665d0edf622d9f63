package io.loomstream.engine.posix;

/**
 * What statx(2) said last, reused from one file to the next: a pass over a fleet makes 100,000 of these calls and no
 * object. {@link FileStat} is the value to keep. For one thread at a time.
 */
public final class StatBuffer {
    private static final int TYPE_MASK = 0xF000;
    private static final int DIRECTORY = 0x4000;
    private static final int REGULAR = 0x8000;
    private static final int LINK = 0xA000;

    private long device;
    private long inode;
    private long sizeBytes;
    private long modifiedNanos;
    private long changedNanos;
    private long bornNanos;
    private int mode;

    /** Replaces what is in here. Times are nanoseconds since the epoch, 0 where unknown. */
    public void set(
            long device, long inode, long sizeBytes, long modifiedNanos, long changedNanos, long bornNanos, int mode) {
        this.device = device;
        this.inode = inode;
        this.sizeBytes = sizeBytes;
        this.modifiedNanos = modifiedNanos;
        this.changedNanos = changedNanos;
        this.bornNanos = bornNanos;
        this.mode = mode;
    }

    public long device() {
        return device;
    }

    public long inode() {
        return inode;
    }

    public long sizeBytes() {
        return sizeBytes;
    }

    public long modifiedNanos() {
        return modifiedNanos;
    }

    public long changedNanos() {
        return changedNanos;
    }

    public long bornNanos() {
        return bornNanos;
    }

    public int mode() {
        return mode;
    }

    public boolean isRegularFile() {
        return (mode & TYPE_MASK) == REGULAR;
    }

    public boolean isDirectory() {
        return (mode & TYPE_MASK) == DIRECTORY;
    }

    public boolean isLink() {
        return (mode & TYPE_MASK) == LINK;
    }
}
