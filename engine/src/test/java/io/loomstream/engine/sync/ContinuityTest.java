package io.loomstream.engine.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.sync.Observation.ReplicaPosition;
import io.loomstream.engine.sync.Observation.Wal;
import io.loomstream.engine.sync.Verdict.Reason;
import io.loomstream.engine.wal.FrameChecksum;
import io.loomstream.engine.wal.WalSalts;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/**
 * The verdict decides whether a transaction may be lost, and its inputs are few: every combination of them is tried, against
 * the table of docs/continuity.md written down a second time as predicates.
 */
class ContinuityTest {
    private static final WalSalts SALTS = new WalSalts(1, 2);
    private static final WalSalts OTHER_SALTS = new WalSalts(2, 77);
    private static final int PAGE_SIZE = 4096;
    private static final int FRAME = 7;
    private static final Txid TXID = new Txid(5);

    private static Cursor cursor(boolean sealed) {
        return new Cursor(
                TXID,
                PAGE_SIZE,
                30,
                SALTS,
                FRAME,
                new FrameChecksum(8, 9),
                sealed,
                new FileFingerprint(1, 2, 3, 4, 5, 6, false),
                10);
    }

    /** One row: which observations it is about, and what it says. */
    private record Row(String name, Predicate<Observation> seen, Function<Observation, Verdict> says) {}

    private static final List<Row> TABLE = List.of(
            new Row("wait", o -> o.cursor().isEmpty() && unknown(o), o -> new Verdict.Wait()),
            new Row("1", o -> o.cursor().isEmpty() && max(o) == 0, o -> new Verdict.Full(Txid.ONE)),
            new Row("2", o -> o.cursor().isEmpty(), o -> new Verdict.Full(new Txid(max(o) + 1))),
            new Row("0 file", o -> !o.sameDatabaseFile(), o -> resync(o, Reason.DATABASE_REPLACED)),
            new Row("0 page size", o -> o.pageSize() != PAGE_SIZE, o -> resync(o, Reason.PAGE_SIZE_CHANGED)),
            new Row("0 chain", o -> !o.localChainComplete(), o -> resync(o, Reason.LOCAL_CHAIN_BROKEN)),
            new Row("replica ahead", o -> max(o) > TXID.value(), o -> resync(o, Reason.REPLICA_AHEAD)),
            new Row(
                    "3a",
                    o -> o.holdIntact() && walHas(o, SALTS) && o.frameAtCursor(),
                    o -> new Verdict.Continue(FRAME)),
            new Row("3b empty", o -> o.holdIntact() && sealed(o) && walIsEmpty(o), o -> new Verdict.InSync()),
            new Row("3b new", o -> o.holdIntact() && sealed(o) && walHas(o, OTHER_SALTS), o -> new Verdict.Continue(0)),
            new Row("3c", Observation::holdIntact, o -> resync(o, Reason.BROKEN_INVARIANT)),
            new Row(
                    "4",
                    o -> o.databaseUnchanged() && walHas(o, SALTS) && o.frameAtCursor(),
                    o -> new Verdict.Continue(FRAME)),
            new Row("5 empty", o -> o.databaseUnchanged() && sealed(o) && walIsEmpty(o), o -> new Verdict.InSync()),
            new Row(
                    "5 any",
                    o -> o.databaseUnchanged() && sealed(o) && (walHas(o, SALTS) || walHas(o, OTHER_SALTS)),
                    o -> new Verdict.Continue(0)),
            new Row("6", o -> true, o -> resync(o, Reason.UNPROVEN)));

    private static boolean unknown(Observation seen) {
        return seen.replica() instanceof ReplicaPosition.Unknown;
    }

    private static long max(Observation seen) {
        return seen.replica() instanceof ReplicaPosition.At(Txid max) ? max.value() : 0;
    }

    private static boolean sealed(Observation seen) {
        return seen.cursor().orElseThrow().sealed();
    }

    private static boolean walHas(Observation seen, WalSalts salts) {
        return seen.wal().equals(new Wal.Present(salts));
    }

    private static boolean walIsEmpty(Observation seen) {
        return seen.wal() instanceof Wal.Nothing;
    }

    private static Verdict resync(Observation seen, Reason reason) {
        return new Verdict.Resync(new Txid(Math.max(TXID.value(), max(seen)) + 1), reason);
    }

    private static List<Observation> everything() {
        List<Boolean> either = List.of(true, false);
        List<Observation> all = new ArrayList<>();
        for (Optional<Cursor> cursor :
                List.of(Optional.<Cursor>empty(), Optional.of(cursor(true)), Optional.of(cursor(false)))) {
            for (ReplicaPosition replica : List.of(
                    new ReplicaPosition.Unknown(),
                    new ReplicaPosition.At(Txid.ZERO),
                    new ReplicaPosition.At(new Txid(4)),
                    new ReplicaPosition.At(TXID),
                    new ReplicaPosition.At(new Txid(9)))) {
                for (Wal wal : List.of(
                        new Wal.Nothing(),
                        new Wal.Unreadable(),
                        new Wal.Present(SALTS),
                        new Wal.Present(OTHER_SALTS))) {
                    for (int pageSize : List.of(PAGE_SIZE, 2 * PAGE_SIZE)) {
                        for (boolean hold : either) {
                            for (boolean same : either) {
                                for (boolean chain : either) {
                                    for (boolean frame : either) {
                                        for (boolean unchanged : either) {
                                            all.add(new Observation(
                                                    cursor, replica, hold, same, pageSize, chain, wal, frame,
                                                    unchanged));
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        return all;
    }

    @Test
    void everyCombinationGetsTheVerdictOfTheFirstRowThatMatches() {
        Set<String> met = new HashSet<>();
        List<Observation> all = everything();
        assertEquals(3 * 5 * 4 * 2 * 32, all.size());
        for (Observation seen : all) {
            Row row =
                    TABLE.stream().filter(r -> r.seen().test(seen)).findFirst().orElseThrow();
            met.add(row.name());
            assertEquals(row.says().apply(seen), Continuity.decide(seen), () -> "row " + row.name() + ": " + seen);
        }
        assertEquals(TABLE.size(), met.size(), () -> "rows that nothing led to: only " + met);
    }

    @Test
    void noVerdictUsesATxidThatTheReplicaOrTheCursorHas() {
        for (Observation seen : everything()) {
            long used =
                    Math.max(max(seen), seen.cursor().map(c -> c.txid().value()).orElse(0L));
            Optional<Txid> next = switch (Continuity.decide(seen)) {
                case Verdict.Full(Txid txid) -> Optional.of(txid);
                case Verdict.Resync(Txid txid, Reason reason) -> Optional.of(txid);
                case Verdict.Continue(int frame) ->
                    seen.cursor().map(c -> c.txid().next());
                case Verdict.InSync inSync -> Optional.empty();
                case Verdict.Wait wait -> Optional.empty();
            };
            next.ifPresent(txid -> assertTrue(txid.value() > used, () -> txid + " for " + seen));
        }
    }

    /** A database that nothing happened to, under a hold that was never let go. */
    private static Observation usual(boolean sealed) {
        return new Observation(
                Optional.of(cursor(sealed)),
                new ReplicaPosition.At(TXID),
                true,
                true,
                PAGE_SIZE,
                true,
                new Wal.Present(SALTS),
                true,
                true);
    }

    private static Observation with(Observation o, Wal wal, boolean frameAtCursor) {
        return new Observation(
                o.cursor(),
                o.replica(),
                o.holdIntact(),
                o.sameDatabaseFile(),
                o.pageSize(),
                o.localChainComplete(),
                wal,
                frameAtCursor,
                o.databaseUnchanged());
    }

    private static Observation holdLost(Observation o, boolean databaseUnchanged) {
        return new Observation(
                o.cursor(),
                o.replica(),
                false,
                o.sameDatabaseFile(),
                o.pageSize(),
                o.localChainComplete(),
                o.wal(),
                o.frameAtCursor(),
                databaseUnchanged);
    }

    @Test
    void underTheHoldCopyingGoesOnBehindTheCursor() {
        assertEquals(new Verdict.Continue(FRAME), Continuity.decide(usual(false)));
    }

    @Test
    void underTheHoldASealedCursorFollowsAResetToTheNewHeader() {
        Observation seen = with(usual(true), new Wal.Present(OTHER_SALTS), false);
        assertEquals(new Verdict.Continue(0), Continuity.decide(seen));
    }

    @Test
    void anUnsealedCursorWithANewHeaderIsAResyncHoweverHarmlessItLooks() {
        Observation seen = with(usual(false), new Wal.Present(OTHER_SALTS), false);
        assertEquals(new Verdict.Resync(TXID.next(), Reason.BROKEN_INVARIANT), Continuity.decide(seen));
        assertEquals(new Verdict.Resync(TXID.next(), Reason.UNPROVEN), Continuity.decide(holdLost(seen, true)));
    }

    @Test
    void sameSaltsWithAnotherFrameChecksumUnderTheHoldIsABrokenInvariant() {
        Observation seen = with(usual(true), new Wal.Present(SALTS), false);
        assertEquals(new Verdict.Resync(TXID.next(), Reason.BROKEN_INVARIANT), Continuity.decide(seen));
    }

    @Test
    void withoutTheHoldTheFingerprintIsNeededEvenWhereSaltsAndFrameAgree() {
        assertEquals(new Verdict.Continue(FRAME), Continuity.decide(holdLost(usual(false), true)));
        assertEquals(
                new Verdict.Resync(TXID.next(), Reason.UNPROVEN), Continuity.decide(holdLost(usual(false), false)));
    }

    @Test
    void withoutTheHoldASealedCursorAndAnUnchangedFileMakeAnyWalTheWholeStory() {
        Observation emptied = with(holdLost(usual(true), true), new Wal.Nothing(), false);
        assertEquals(new Verdict.InSync(), Continuity.decide(emptied));
        Observation renewed = with(emptied, new Wal.Present(OTHER_SALTS), false);
        assertEquals(new Verdict.Continue(0), Continuity.decide(renewed));
        Observation otherHistory = with(emptied, new Wal.Present(SALTS), false);
        assertEquals(new Verdict.Continue(0), Continuity.decide(otherHistory));
    }
}
