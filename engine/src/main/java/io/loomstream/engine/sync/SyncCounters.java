package io.loomstream.engine.sync;

import io.loomstream.engine.concurrent.DurationHistogram;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/**
 * How often each verdict was reached, what copies of whole databases came to, and how long copies and replication took. A
 * look that finds nothing new under an intact hold needs no verdict and is not counted. Thread-safe.
 */
public final class SyncCounters {
    private final LongAdder inSync = new LongAdder();
    private final LongAdder continued = new LongAdder();
    private final LongAdder full = new LongAdder();
    private final LongAdder waits = new LongAdder();
    private final Map<Verdict.Reason, LongAdder> resyncs = new EnumMap<>(Verdict.Reason.class);
    private final LongAdder completeCopies = new LongAdder();
    private final LongAdder differenceCopies = new LongAdder();
    private final LongAdder pagesRead = new LongAdder();
    private final LongAdder pagesChanged = new LongAdder();
    private final DurationHistogram syncs = new DurationHistogram();
    private final DurationHistogram lags = new DurationHistogram();

    SyncCounters() {
        for (Verdict.Reason reason : Verdict.Reason.values()) {
            resyncs.put(reason, new LongAdder());
        }
    }

    void decided(Verdict verdict) {
        LongAdder counter = switch (verdict) {
            case Verdict.InSync v -> inSync;
            case Verdict.Continue v -> continued;
            case Verdict.Full v -> full;
            case Verdict.Wait v -> waits;
            case Verdict.Resync v -> of(v.reason());
        };
        counter.increment();
    }

    void copiedWhole(boolean differencesOnly, int read, int changed) {
        (differencesOnly ? differenceCopies : completeCopies).increment();
        pagesRead.add(read);
        pagesChanged.add(changed);
    }

    void synced(long nanos) {
        syncs.record(nanos);
    }

    DurationHistogram lags() {
        return lags;
    }

    /** How long looks took that copied something. */
    public DurationHistogram.Snapshot syncSeconds() {
        return syncs.snapshot();
    }

    /** From the look that found a commit to the replica's having it. */
    public DurationHistogram.Snapshot lagSeconds() {
        return lags.snapshot();
    }

    private LongAdder of(Verdict.Reason reason) {
        LongAdder counter = resyncs.get(reason);
        if (counter == null) {
            throw new IllegalStateException("no counter for " + reason);
        }
        return counter;
    }

    /** Verdicts "nothing to copy". */
    public long inSync() {
        return inSync.sum();
    }

    /** Verdicts "go on where the last copy ended". */
    public long continued() {
        return continued.sum();
    }

    /** Verdicts "first copy, every page". */
    public long full() {
        return full.sum();
    }

    /** Verdicts "no TXID may be given yet". */
    public long waits() {
        return waits.sum();
    }

    /** Verdicts "not proven", by why not. */
    public long resyncs(Verdict.Reason reason) {
        return of(reason).sum();
    }

    /** Copies of every page, whatever the verdict was. */
    public long completeCopies() {
        return completeCopies.sum();
    }

    /** Copies of the pages that differ from a page index, those included that found none. */
    public long differenceCopies() {
        return differenceCopies.sum();
    }

    /** Pages read by both kinds of copies. */
    public long pagesRead() {
        return pagesRead.sum();
    }

    /** Pages that both kinds of copies found to be new to the replica. */
    public long pagesChanged() {
        return pagesChanged.sum();
    }
}
