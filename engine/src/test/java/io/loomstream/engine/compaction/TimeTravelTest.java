package io.loomstream.engine.compaction;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.restore.RestoreOutcome;
import io.loomstream.engine.restore.Target;
import io.loomstream.engine.testing.Seed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Days of a database's life, and every state of it asked for again: what is still there is right, what is not is refused. */
class TimeTravelTest {
    private static final int COMMITS = 300;
    private static final long HOUR = Duration.ofHours(1).toNanos();

    @TempDir
    Path directory;

    @Test
    void everyPointThatCanBeRestoredIsTheStateThatWasThen() throws IOException, InterruptedException {
        Random random = Seed.random("everyPointThatCanBeRestoredIsTheStateThatWasThen");
        History history = new History(directory, random, Levels.defaults(), new SimulatedTime());
        live(history, random, false);
        assertTrue(history.files(1).size() > 10, "level 1 is used");
        assertTrue(history.maintenance().counters().snapshots() >= 2, "snapshots were made");
        assertEquals(List.of(), history.asked, "no chain broke");
        askForEverything(history, random);
    }

    @Test
    void killsAndFailuresAtAnyRequestChangeNothingAboutThat() throws IOException, InterruptedException {
        Random random = Seed.random("killsAndFailuresAtAnyRequestChangeNothingAboutThat");
        History history = new History(directory, random, Levels.defaults(), new SimulatedTime());
        live(history, random, true);
        assertEquals(List.of(), history.asked, "no chain broke");
        askForEverything(history, random);
    }

    private static void live(History history, Random random, boolean faults) throws IOException, InterruptedException {
        for (int i = 0; i < COMMITS; i++) {
            long pause = switch (random.nextInt(20)) {
                case 0 -> (long) (8 * HOUR * random.nextDouble());
                case 1, 2, 3, 4 -> (long) (HOUR / 4.0 * random.nextDouble());
                default -> Duration.ofMillis(1 + random.nextInt(90_000)).toNanos();
            };
            if (faults && !history.replica.faultPending() && random.nextInt(3) == 0) {
                FaultyReplica.Fault[] all = FaultyReplica.Fault.values();
                history.replica.failAfter(random.nextInt(8), all[random.nextInt(all.length)]);
            }
            history.goTo(history.time.nanoTime() + pause);
            if (random.nextInt(25) == 0) {
                history.commitEverything();
            } else {
                history.commit();
            }
            if (faults && random.nextInt(20) == 0) {
                history.restart(random.nextBoolean());
            }
        }
        history.replica.heal();
        history.goTo(history.time.nanoTime() + Duration.ofMinutes(2).toNanos());
    }

    private void askForEverything(History history, Random random) throws IOException, InterruptedException {
        Path restored = directory.resolve("restored");
        int available = 0;
        for (long txid : history.moments.keySet()) {
            RestoreOutcome outcome = history.restore(new Target.AtTxid(new Txid(txid)), restored);
            Instant made = history.moments.get(txid);
            boolean recent = made.isAfter(history.now().minus(Duration.ofMinutes(5))) || txid == history.txid();
            switch (outcome) {
                case RestoreOutcome.Restored there -> {
                    available++;
                    assertEquals(txid, there.plan().reached().value());
                    assertArrayEquals(history.images.get(txid), Files.readAllBytes(restored), "TXID " + txid);
                }
                case RestoreOutcome.NotAvailable gone -> assertFalse(recent, "TXID " + txid + " is gone already");
                default -> fail("TXID " + txid + ": " + outcome);
            }
        }
        assertTrue(available > 2, "points can be restored: " + available);
        assertTrue(available < COMMITS, "points aged out");

        RestoreOutcome latest = history.restore(new Target.Latest(), restored);
        assertInstanceOf(RestoreOutcome.Restored.class, latest);
        assertArrayEquals(history.images.get(history.txid()), Files.readAllBytes(restored));

        TxidRange oldest = history.files(9).getFirst();
        Instant from = history.moments.get(oldest.max().value());
        for (int i = 0; i < 100; i++) {
            long past = (long)
                    (Duration.between(history.moments.get(1L), history.now()).toMillis() * random.nextDouble());
            Instant moment = history.now().minusMillis(past);
            askForMoment(history, moment, moment.isAfter(from), restored);
        }
    }

    /** A moment gives a state that was before it, and no older one than the last merge of the highest level. */
    private static void askForMoment(History history, Instant moment, boolean retained, Path restored)
            throws IOException, InterruptedException {
        RestoreOutcome outcome = history.restore(new Target.Before(moment), restored);
        switch (outcome) {
            case RestoreOutcome.Restored there -> {
                long txid = there.plan().reached().value();
                Instant made = history.moments.get(txid);
                assertArrayEquals(history.images.get(txid), Files.readAllBytes(restored), "before " + moment);
                assertTrue(made.isBefore(moment), made + " is before " + moment);
                Instant last = history.moments.values().stream()
                        .filter(time -> time.isBefore(moment))
                        .max(Instant::compareTo)
                        .orElseThrow();
                if (retained) {
                    assertTrue(
                            Duration.between(made, last).compareTo(Duration.ofHours(10)) < 0,
                            () -> "asked for " + moment + " of " + last + ", got " + made);
                }
            }
            case RestoreOutcome.NotAvailable gone -> assertFalse(retained, moment + " is gone already");
            default -> fail(moment + ": " + outcome);
        }
    }
}
