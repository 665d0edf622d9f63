package io.loomstream.engine.sync;

import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * How one database is replicated. Immutable; start from {@link #defaults} and change what differs.
 *
 * @param path the database file, absolute
 * @param metaPath the local directory of cursor and L0 files; the default lies beside the database
 * @param monitorInterval between two looks at a database; zero or negative: looked at only when asked
 * @param syncInterval between two uploads to the replica; positive
 * @param checkpointInterval after which a WAL that nobody checkpoints is checkpointed; zero: never because of time
 * @param minCheckpointPages WAL frames above which the WAL may restart; positive
 * @param truncatePages WAL frames above which a busy writer is interrupted for a restart; zero or negative: never
 * @param busyTimeout how long to go on trying when an application holds a lock; millisecond resolution
 * @param syncWalBytesMax WAL bytes copied in one pass; 0: no limit
 * @param walBytesMax bytes of WAL above which the hold is released so that it may be reset; 0: no limit
 * @param localBytesMax bytes of local files that the replica lacks, above which nothing more is copied until some are
 *     uploaded; 0: no limit
 */
public record DatabaseOptions(
        Path path,
        Path metaPath,
        Duration monitorInterval,
        Duration syncInterval,
        Duration checkpointInterval,
        int minCheckpointPages,
        int truncatePages,
        Duration busyTimeout,
        long syncWalBytesMax,
        long walBytesMax,
        long localBytesMax,
        HoldMode hold,
        JournalPolicy journalPolicy) {
    public static final int DEFAULT_MIN_CHECKPOINT_PAGES = 1000;
    public static final int DEFAULT_TRUNCATE_PAGES = 121_359;
    public static final long DEFAULT_SYNC_WAL_BYTES_MAX = 64L << 20;
    public static final long DEFAULT_WAL_BYTES_MAX = 1L << 30;
    public static final long DEFAULT_LOCAL_BYTES_MAX = 1L << 30;

    public DatabaseOptions {
        require(path.isAbsolute(), "path must be absolute", path);
        require(metaPath.isAbsolute(), "meta path must be absolute", metaPath);
        require(syncInterval.isPositive(), "sync interval must be greater than 0", syncInterval);
        require(!checkpointInterval.isNegative(), "checkpoint interval must be >= 0", checkpointInterval);
        require(minCheckpointPages > 0, "min checkpoint pages must be greater than 0", minCheckpointPages);
        require(!busyTimeout.isNegative(), "busy timeout must be >= 0", busyTimeout);
        require(syncWalBytesMax >= 0, "sync WAL bytes must be >= 0", syncWalBytesMax);
        require(walBytesMax >= 0, "max WAL bytes must be >= 0", walBytesMax);
        require(localBytesMax >= 0, "local bytes must be >= 0", localBytesMax);
    }

    /** What Litestream does when a configuration names nothing but the path. */
    public static DatabaseOptions defaults(Path path) {
        Path absolute = path.toAbsolutePath().normalize();
        return new DatabaseOptions(
                absolute,
                defaultMetaPath(absolute),
                Duration.ofSeconds(1),
                Duration.ofSeconds(1),
                Duration.ofMinutes(1),
                DEFAULT_MIN_CHECKPOINT_PAGES,
                DEFAULT_TRUNCATE_PAGES,
                Duration.ofSeconds(1),
                DEFAULT_SYNC_WAL_BYTES_MAX,
                DEFAULT_WAL_BYTES_MAX,
                DEFAULT_LOCAL_BYTES_MAX,
                HoldMode.AUTO,
                JournalPolicy.WAL);
    }

    /** {@code .<name>-litestream} beside the database: Litestream's name, so that either program finds the other's. */
    public static Path defaultMetaPath(Path database) {
        return database.resolveSibling("." + database.getFileName() + "-litestream");
    }

    /** The same for another database. */
    public DatabaseOptions at(Path path, Path metaPath) {
        return with(change -> {
            change.path = path;
            change.metaPath = metaPath;
        });
    }

    public DatabaseOptions withMetaPath(Path metaPath) {
        return with(change -> change.metaPath = metaPath);
    }

    public DatabaseOptions withMonitorInterval(Duration monitorInterval) {
        return with(change -> change.monitorInterval = monitorInterval);
    }

    public DatabaseOptions withSyncInterval(Duration syncInterval) {
        return with(change -> change.syncInterval = syncInterval);
    }

    public DatabaseOptions withCheckpointInterval(Duration checkpointInterval) {
        return with(change -> change.checkpointInterval = checkpointInterval);
    }

    public DatabaseOptions withMinCheckpointPages(int minCheckpointPages) {
        return with(change -> change.minCheckpointPages = minCheckpointPages);
    }

    public DatabaseOptions withTruncatePages(int truncatePages) {
        return with(change -> change.truncatePages = truncatePages);
    }

    public DatabaseOptions withBusyTimeout(Duration busyTimeout) {
        return with(change -> change.busyTimeout = busyTimeout);
    }

    public DatabaseOptions withSyncWalBytesMax(long syncWalBytesMax) {
        return with(change -> change.syncWalBytesMax = syncWalBytesMax);
    }

    public DatabaseOptions withWalBytesMax(long walBytesMax) {
        return with(change -> change.walBytesMax = walBytesMax);
    }

    public DatabaseOptions withLocalBytesMax(long localBytesMax) {
        return with(change -> change.localBytesMax = localBytesMax);
    }

    public DatabaseOptions withHold(HoldMode hold) {
        return with(change -> change.hold = hold);
    }

    public DatabaseOptions withJournalPolicy(JournalPolicy journalPolicy) {
        return with(change -> change.journalPolicy = journalPolicy);
    }

    private DatabaseOptions with(Consumer<Change> what) {
        Change change = new Change(this);
        what.accept(change);
        return change.done();
    }

    private static void require(boolean holds, String message, Object value) {
        if (!holds) {
            throw new IllegalArgumentException(message + " (got " + value + ")");
        }
    }

    /** Components that may be set one by one. */
    private static final class Change {
        private Path path;
        private Path metaPath;
        private Duration monitorInterval;
        private Duration syncInterval;
        private Duration checkpointInterval;
        private int minCheckpointPages;
        private int truncatePages;
        private Duration busyTimeout;
        private long syncWalBytesMax;
        private long walBytesMax;
        private long localBytesMax;
        private HoldMode hold;
        private JournalPolicy journalPolicy;

        Change(DatabaseOptions of) {
            this.path = of.path;
            this.metaPath = of.metaPath;
            this.monitorInterval = of.monitorInterval;
            this.syncInterval = of.syncInterval;
            this.checkpointInterval = of.checkpointInterval;
            this.minCheckpointPages = of.minCheckpointPages;
            this.truncatePages = of.truncatePages;
            this.busyTimeout = of.busyTimeout;
            this.syncWalBytesMax = of.syncWalBytesMax;
            this.walBytesMax = of.walBytesMax;
            this.localBytesMax = of.localBytesMax;
            this.hold = of.hold;
            this.journalPolicy = of.journalPolicy;
        }

        DatabaseOptions done() {
            return new DatabaseOptions(
                    path,
                    metaPath,
                    monitorInterval,
                    syncInterval,
                    checkpointInterval,
                    minCheckpointPages,
                    truncatePages,
                    busyTimeout,
                    syncWalBytesMax,
                    walBytesMax,
                    localBytesMax,
                    hold,
                    journalPolicy);
        }
    }
}
