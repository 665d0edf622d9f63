package io.loomstream.engine.posix;

/**
 * What statx(2) says of a file.
 *
 * @param device major and minor number as one value
 * @param sizeBytes the length
 * @param modifiedNanos last change of the content, nanoseconds since the epoch
 * @param changedNanos last change of the inode (ctime), nanoseconds since the epoch; nobody can set it back
 * @param bornNanos creation of the inode, nanoseconds since the epoch; 0 where the file system does not know
 * @param mode type and permission bits
 */
public record FileStat(
        long device,
        long inode,
        long sizeBytes,
        long modifiedNanos,
        long changedNanos,
        long bornNanos,
        int mode,
        int uid,
        int gid) {
    private static final int TYPE_MASK = 0xF000;
    private static final int REGULAR = 0x8000;

    public boolean isRegularFile() {
        return (mode & TYPE_MASK) == REGULAR;
    }

    /** The same, the ctime replaced by the mtime. */
    public FileStat withoutChangeTime() {
        return new FileStat(device, inode, sizeBytes, modifiedNanos, modifiedNanos, bornNanos, mode, uid, gid);
    }

    /** Whether both describe the same inode of the same device, born at the same moment. */
    public boolean sameFileAs(FileStat other) {
        return device == other.device && inode == other.inode && bornNanos == other.bornNanos;
    }
}
