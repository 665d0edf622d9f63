package io.loomstream.engine.sync;

import io.loomstream.engine.concurrent.DurationHistogram;
import io.loomstream.engine.ltx.Txid;
import java.time.Duration;
import java.util.ArrayDeque;

/**
 * Copies that are not on the replica yet, with the moments they were found at. Of very many the first ones are kept: the lag
 * is the oldest one's. Thread-safe.
 */
final class Unreplicated {
    private static final int KEPT_MAX = 64;

    /** Guarded by this. */
    private final ArrayDeque<Copy> waiting = new ArrayDeque<>(1);

    private record Copy(Txid txid, long foundNanos) {}

    synchronized void copied(Txid txid, long foundNanos) {
        // A position that went back: what waited under higher numbers is part of the copy that follows.
        while (!waiting.isEmpty() && !txid.isAfter(waiting.getLast().txid())) {
            waiting.removeLast();
        }
        if (waiting.size() < KEPT_MAX) {
            waiting.add(new Copy(txid, foundNanos));
        }
    }

    /** Takes out what the replica has now, and counts how long each copy took. */
    synchronized void uploaded(Txid upTo, long nowNanos, DurationHistogram lags) {
        while (!waiting.isEmpty() && !waiting.getFirst().txid().isAfter(upTo)) {
            lags.record(nowNanos - waiting.removeFirst().foundNanos());
        }
    }

    /** The age of the oldest copy that waits; zero when none does. */
    synchronized Duration lag(long nowNanos) {
        return waiting.isEmpty()
                ? Duration.ZERO
                : Duration.ofNanos(Math.max(0, nowNanos - waiting.getFirst().foundNanos()));
    }
}
