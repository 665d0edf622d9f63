package io.loomstream.engine.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.posix.Posix;
import io.loomstream.engine.sqlite.HoldTaker.Taken;
import io.loomstream.engine.sqlite.HoldTaker.Technique;
import io.loomstream.engine.sqlite.HoldTaker.Unavailable;
import io.loomstream.engine.testing.AppProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Connections are kept while they are of use, and an idle one does no harm: its locks stay, nobody takes it for an
 * application's, and it ends in time.
 */
class ConnectionPoolTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    @TempDir
    Path directory;

    private final PassingTime time = new PassingTime();
    private final HoldTaker taker = new HoldTaker(Time.system());
    private final List<AppProcess> apps = new ArrayList<>();
    private SqliteConnections connections;

    /** Passes when told to, and by sleeping, so often. */
    private static final class PassingTime implements Time {
        private final AtomicLong nanos = new AtomicLong();
        private final List<Duration> slept = new ArrayList<>();
        private int sleepsLeft;

        @Override
        public Instant now() {
            return Instant.EPOCH.plusNanos(nanos.get());
        }

        @Override
        public long nanoTime() {
            return nanos.get();
        }

        void pass(Duration duration) {
            nanos.addAndGet(duration.toNanos());
        }

        @Override
        public void sleep(Duration duration) throws InterruptedException {
            if (sleepsLeft-- <= 0) {
                throw new InterruptedException();
            }
            slept.add(duration);
            pass(duration);
        }
    }

    @BeforeEach
    void start() {
        connections = connections(10);
    }

    private SqliteConnections connections(int most) {
        return new SqliteConnections(new Gate("native", 6), time, new ConnectionLimits(most, TIMEOUT));
    }

    @AfterEach
    void stop() throws IOException {
        for (AppProcess app : apps) {
            app.close();
        }
    }

    private DatabaseFiles files(String name) {
        return new DatabaseFiles(Posix.load().orElseThrow(), connections, directory.resolve(name));
    }

    /** An application with an open connection "a". */
    private AppProcess application(String name) {
        AppProcess app = AppProcess.start();
        apps.add(app);
        return app.open("a", directory.resolve(name))
                .exec("a", "pragma journal_mode=wal")
                .exec("a", "create table t(x)");
    }

    private void makeOneIdle(DatabaseFiles files) throws InterruptedException {
        assertTrue(taker.checkpointPassive(files));
        assertTrue(taker.checkpointPassive(files));
        assertEquals(1, connections.idleNow());
    }

    private long descriptors(String name) throws IOException {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            return open.filter(fd -> {
                        try {
                            return Files.readSymbolicLink(fd).equals(directory.resolve(name));
                        } catch (IOException closedMeanwhile) {
                            return false;
                        }
                    })
                    .count();
        }
    }

    @Test
    void anIdleConnectionIsUsedAgainAndClosedAfterFiveSeconds() throws Exception {
        application("app.db");
        DatabaseFiles files = files("app.db");
        makeOneIdle(files);
        assertEquals(2, connections.opened());
        time.pass(Duration.ofSeconds(3));
        assertTrue(taker.checkpointPassive(files));
        assertEquals(2, connections.opened());
        assertEquals(1, connections.reused());

        time.pass(TIMEOUT.minusNanos(1));
        connections.reap();
        assertEquals(1, connections.idleNow());
        time.pass(Duration.ofNanos(1));
        connections.reap();
        assertEquals(0, connections.idleNow());
        assertEquals(0, connections.openNow());
        assertEquals(1, connections.reaped());
        assertEquals(0, descriptors("app.db"));
    }

    @Test
    void theReaperWakesWhenOneExpires() throws Exception {
        application("app.db");
        makeOneIdle(files("app.db"));
        time.pass(Duration.ofSeconds(2));
        time.sleepsLeft = 2;
        assertThrows(InterruptedException.class, () -> new IdleReaper(connections, time).call());
        assertEquals(List.of(Duration.ofSeconds(3), TIMEOUT), time.slept);
        assertEquals(1, connections.reaped());
    }

    @Test
    void aConnectionInsideATransactionIsNeverReaped() throws Exception {
        AppProcess app = application("app.db");
        DatabaseFiles files = files("app.db");
        makeOneIdle(files);
        String refusal = taker.underWriteLock(files, Duration.ZERO, () -> {
            time.pass(Duration.ofHours(1));
            connections.reap();
            assertEquals(1, connections.openNow());
            return app.tryExec("a", "insert into t values (1)").orElse("it could write");
        });
        assertTrue(refusal.contains("locked"), refusal);
        assertEquals(1, connections.reused(), "it was the idle one");
        assertEquals(0, connections.reaped());
        app.exec("a", "insert into t values (1)");
    }

    @Test
    void aConnectionNeededLessOftenThanTheTimeoutIsNotKept() throws Exception {
        application("app.db");
        DatabaseFiles files = files("app.db");
        for (int i = 0; i < 3; i++) {
            assertTrue(taker.checkpointPassive(files));
            assertEquals(0, connections.openNow());
            time.pass(TIMEOUT);
        }
        assertEquals(3, connections.opened());
        assertEquals(0, connections.reused());
    }

    @Test
    void anIdleConnectionIsDrainedBeforeAnybodyAsksForApplications() throws Exception {
        AppProcess app = application("app.db");
        DatabaseFiles files = files("app.db");
        WalHold hold = assertInstanceOf(Taken.class, taker.take(files, Technique.LOCKS, Duration.ofSeconds(5)))
                .hold();
        makeOneIdle(files);
        app.close("a");
        assertTrue(hold.applicationAttached(), "it passes for one");
        files.drain();
        assertFalse(hold.applicationAttached());
        assertEquals(0, connections.reaped(), "drained ones are not idle for too long");
        assertTrue(Files.exists(files.wal()));
        taker.lastClose(files, hold);
        assertFalse(Files.exists(files.wal()));
        assertEquals(0, connections.openNow());
        assertEquals(0, descriptors("app.db"));
    }

    /** Closing any descriptor of the file would drop the locks that SQLite has on it in this process. */
    @Test
    void whileAConnectionIsIdleNoDescriptorIsClosed() throws Exception {
        AppProcess app = application("app.db");
        DatabaseFiles files = files("app.db");
        makeOneIdle(files);
        long before = descriptors("app.db");
        taker.readHeader(files);
        assertEquals(before + 1, descriptors("app.db"));
        assertTrue(app.tryExec("a", "pragma journal_mode=delete").isPresent(), "our connection's lock is there");

        time.pass(TIMEOUT);
        connections.reap();
        assertEquals(0, descriptors("app.db"));
        app.exec("a", "pragma journal_mode=delete");
    }

    @Test
    void idleConnectionsGiveWayWhereThereAreTooMany() throws Exception {
        connections = connections(1);
        application("a.db");
        application("b.db");
        makeOneIdle(files("a.db"));
        assertTrue(taker.checkpointPassive(files("b.db")));
        assertEquals(0, descriptors("a.db"));
        assertEquals(0, connections.openNow());
    }

    @Test
    void whereAllAreInUseTheNextIsRefusedAndSaysWhy() throws Exception {
        connections = connections(1);
        application("a.db");
        application("b.db");
        WalHold hold = assertInstanceOf(
                        Taken.class, taker.take(files("a.db"), Technique.CONNECTION, Duration.ofSeconds(5)))
                .hold();
        Unavailable refused =
                assertInstanceOf(Unavailable.class, taker.take(files("b.db"), Technique.LOCKS, Duration.ZERO));
        assertTrue(refused.why().contains("max-connections"), refused.why());
        hold.release();
        assertTrue(taker.checkpointPassive(files("b.db")));
    }
}
