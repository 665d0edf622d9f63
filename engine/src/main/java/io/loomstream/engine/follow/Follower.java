package io.loomstream.engine.follow;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.error.EngineException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.FileSteps;
import io.loomstream.engine.replica.PosixFileSteps;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.restore.IntegrityCheck;
import io.loomstream.engine.restore.Restore;
import io.loomstream.engine.restore.RestoreOutcome;
import io.loomstream.engine.restore.RestorePlan;
import io.loomstream.engine.restore.RestoreProgress;
import io.loomstream.engine.restore.RestoreRequest;
import io.loomstream.engine.sqlite.DatabaseHeader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Restores a database and keeps it up to date from its replica, while other processes read it. Readers see whole states
 * only, each newer than the one before; so does whoever opens the database after a kill (see {@link FollowedDatabase}).
 *
 * <p>An error never ends it and never passes for success: it is logged each time, and tried again after a pause that
 * doubles up to a minute.
 *
 * <p>{@link #prepare} and {@link #run} belong to one thread; {@link #stop} may come from any. While it runs, nothing else
 * in this process may open the database: POSIX locks end when any descriptor of the file is closed.
 */
public final class Follower {
    private static final Logger log = LoggerFactory.getLogger(Follower.class);
    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);
    private static final int DOUBLINGS = 16;

    private final ReplicaClient replica;
    private final Path output;
    private final Duration interval;
    private final IntegrityCheck check;
    private final RestoreProgress progress;
    private final FileSteps steps;
    private final FollowedDatabase.Opener opener;
    private final RandomGenerator random;
    private final Time time;
    private final CountDownLatch stopped = new CountDownLatch(1);

    Follower(
            ReplicaClient replica,
            Path output,
            Duration interval,
            IntegrityCheck check,
            RestoreProgress progress,
            FileSteps steps,
            FollowedDatabase.Opener opener,
            RandomGenerator random,
            Time time) {
        this.replica = replica;
        this.output = output.toAbsolutePath();
        this.interval = interval;
        this.check = check;
        this.progress = progress;
        this.steps = steps;
        this.opener = opener;
        this.random = random;
        this.time = time;
    }

    /**
     * A follower that has not begun.
     *
     * @param interval between two looks at the replica
     * @param check what SQLite is asked after the first restore
     * @param progress hears of the first restore
     */
    public static Follower of(
            ReplicaClient replica, Path output, Duration interval, IntegrityCheck check, RestoreProgress progress) {
        return new Follower(
                replica,
                output,
                interval,
                check,
                progress,
                new PosixFileSteps(),
                file -> FileChannel.open(
                        file, StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS),
                new SecureRandom(),
                Time.system());
    }

    /** Whether following can begin. */
    public sealed interface Start {
        /**
         * It can.
         *
         * @param resumed the database was there already
         */
        record Ready(Txid at, boolean resumed) implements Start {}

        /** The replica holds nothing to begin with. */
        record NotRestored(RestoreOutcome why) implements Start {}
    }

    /**
     * Restores the database, or finds out where the one that is there stands.
     *
     * @throws CorruptDataException when what is there was not made by a follower
     * @throws io.loomstream.engine.error.ConflictException when somebody else changed it, or is in the way
     * @throws TransientStorageException when replica, disk or a lock failed
     */
    public Start prepare() throws InterruptedException {
        if (!Files.notExists(output, LinkOption.NOFOLLOW_LINKS)) {
            try (Session session = Session.resume(this)) {
                return new Start.Ready(session.position().txid(), true);
            } catch (IOException e) {
                throw failed(e);
            }
        }
        Restore restore = Restore.from(replica, progress);
        RestoreOutcome outcome =
                restore.run(RestoreRequest.latest(output).checked(check).preparedBy(this::prepareImage));
        return outcome instanceof RestoreOutcome.Restored restored
                ? new Start.Ready(restored.plan().reached(), false)
                : new Start.NotRestored(outcome);
    }

    /**
     * Makes a restored image a follower's before it gets its name: in rollback mode from the first reader on. The sidecar
     * comes before the database, so a kill between them leaves no database without one.
     */
    private void prepareImage(RestorePlan plan, Path path) throws IOException {
        int counter = random.nextInt();
        try (FileChannel image = opener.open(path)) {
            ByteBuffer header = ByteBuffer.allocate(DatabaseHeader.SIZE_BYTES);
            int read = 0;
            while (header.hasRemaining() && read >= 0) {
                read = image.read(header, header.position());
            }
            DatabaseHeader known = DatabaseHeader.parse(header.array(), header.position())
                    .orElseThrow(() -> new CorruptDataException(
                            replica.describe(), 0, "what it holds is empty or no database: nothing to follow"));
            FollowedDatabase.patch(header, counter, image.size() / known.pageSize());
            header.flip();
            while (header.hasRemaining()) {
                image.write(header, header.position());
            }
        }
        Position position = new Position(plan.reached(), counter, Optional.empty());
        FollowState state = new FollowState(output, steps);
        state.writeStep(new FollowState.Step(position, position));
        state.writeTxid(position.txid());
    }

    /** Follows until {@link #stop}; returns when the last step is complete. */
    public void run() throws InterruptedException {
        int failures = 0;
        Session session = null;
        try {
            while (stopped.getCount() > 0) {
                boolean more = false;
                try {
                    if (session == null) {
                        session = Session.resume(this);
                    }
                    more = session.poll();
                    if (failures > 0) {
                        log.atInfo()
                                .addKeyValue("path", output)
                                .addKeyValue("txid", session.position().txid())
                                .log("following again");
                    }
                    failures = 0;
                } catch (EngineException | IOException e) {
                    failures++;
                    report(e, failures, session);
                    session = close(session);
                }
                if (!more && stopped.await(pause(failures).toMillis(), TimeUnit.MILLISECONDS)) {
                    return;
                }
            }
        } finally {
            close(session);
        }
    }

    /** Ends {@link #run} after the step it is in. */
    public void stop() {
        stopped.countDown();
    }

    private Duration pause(int failures) {
        Duration longer = interval.multipliedBy(1L << Math.min(failures, DOUBLINGS));
        Duration limit = interval.compareTo(LONGEST_PAUSE) > 0 ? interval : LONGEST_PAUSE;
        return longer.compareTo(limit) > 0 ? limit : longer;
    }

    private void report(Exception e, int failures, @Nullable Session session) {
        var event = log.atError().addKeyValue("path", output);
        if (session != null) {
            event = event.addKeyValue("txid", session.position().txid());
        }
        event.addKeyValue("failures", failures)
                .addKeyValue("next_try_ms", pause(failures).toMillis())
                .log("not following: {}", e.getMessage());
    }

    private static @Nullable Session close(@Nullable Session session) {
        if (session != null) {
            try {
                session.close();
            } catch (IOException e) {
                log.debug("could not close the database", e);
            }
        }
        return null;
    }

    private TransientStorageException failed(IOException e) {
        return new TransientStorageException("cannot follow with " + output + ": " + e.getMessage(), e);
    }

    ReplicaClient replica() {
        return replica;
    }

    Path output() {
        return output;
    }

    FileSteps steps() {
        return steps;
    }

    FollowedDatabase.Opener opener() {
        return opener;
    }

    RandomGenerator random() {
        return random;
    }

    Time time() {
        return time;
    }
}
