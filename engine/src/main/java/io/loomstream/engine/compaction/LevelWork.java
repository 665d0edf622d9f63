package io.loomstream.engine.compaction;

import io.loomstream.engine.error.BrokenInvariantException;
import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.Compactor;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.LtxDecoder;
import io.loomstream.engine.ltx.LtxHeader;
import io.loomstream.engine.ltx.LtxTrailer;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.MissingFileException;
import io.loomstream.engine.replica.ReplicaFile;
import io.loomstream.engine.restore.PlanOutcome;
import io.loomstream.engine.restore.RestorePlan;
import io.loomstream.engine.restore.RestorePlanner;
import io.loomstream.engine.restore.ResumableInputStream;
import io.loomstream.engine.restore.Target;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Works on the replica of one database: merges, makes snapshots, deletes. Never touches the database.
 *
 * <p>Every step can be repeated, and stopped at any point: a file is announced in the index before it is written, written
 * under a name that says what it holds, and noted afterwards; files are deleted first and struck off afterwards. Nothing is
 * deleted that was not merged into a file which was decoded and verified before it was stored. One use, one thread; blocks.
 */
final class LevelWork {
    private static final Logger log = LoggerFactory.getLogger(LevelWork.class);
    /** Each open file costs a connection and the buffers of a decoder. */
    static final int OPEN_INPUTS_MAX = 16;

    private static final int LOCAL_BYTES_MAX = 1 << 20;

    private final Subject subject;
    private final LevelIndex index;
    private final Unusable unusable;
    private final WorkFiles files;
    private final CodecResources codec;
    private final CompactionCounters counters;
    private final Supplier<Txid> toldMeanwhile;

    LevelWork(
            Subject subject,
            LevelIndex index,
            Unusable unusable,
            WorkFiles files,
            CodecResources codec,
            CompactionCounters counters,
            Supplier<Txid> toldMeanwhile) {
        this.subject = subject;
        this.index = index;
        this.unusable = unusable;
        this.files = files;
        this.codec = codec;
        this.counters = counters;
        this.toldMeanwhile = toldMeanwhile;
    }

    /** What kept a merge from being made: TXIDs are missing, and only a new copy of the database can stand in for them. */
    static final class BrokenChain extends Exception {
        private static final long serialVersionUID = 1L;

        BrokenChain(String message) {
            super(message);
        }
    }

    /** Finds out what became of a file that was being written when the work was last interrupted. */
    void settleIntent() throws IOException {
        if (index.intent().isEmpty()) {
            return;
        }
        LevelIndex.Intent intent = index.intent().get();
        var found = subject.replica().find(intent.level(), intent.range());
        if (found.isPresent()) {
            index.added(List.of(new Stored(found.get(), 0)));
        } else {
            index.dropIntent();
        }
    }

    /**
     * Gives a level the next file, made of what the one below has.
     *
     * @return whether there was anything to make it of
     * @throws BrokenChain at a hole that no snapshot bridges
     */
    boolean compact(Level level) throws BrokenChain, IOException, InterruptedException {
        return switch (Sources.next(index, level, subject.levels().interval(level), unusable)) {
            case Sources.None none -> false;
            case Sources.Hole(Txid first, Txid last) ->
                throw new BrokenChain("level " + (level.number() - 1) + " lacks TXIDs " + first + " to " + last
                        + ", which level " + level + " does not have either");
            case Sources.Run(List<Stored> run, boolean afterHole) -> {
                if (afterHole) {
                    log.atWarn()
                            .addKeyValue("db", subject.database())
                            .addKeyValue("level", level)
                            .addKeyValue("txid", run.getFirst().min())
                            .log("the level goes on behind a hole that a snapshot bridges");
                }
                merge(level, new TxidRange(run.getFirst().min(), run.getLast().max()), run);
                counters.compactions.increment();
                yield true;
            }
        };
    }

    /**
     * Makes a snapshot of the newest state by merging what a restore would read.
     *
     * @throws BrokenChain when a restore would fail
     */
    void snapshot() throws BrokenChain, IOException, InterruptedException {
        switch (RestorePlanner.plan(index.listing().without(unusable.files()), new Target.Latest())) {
            case PlanOutcome.Planned(RestorePlan plan) -> {
                if (index.newest().isAfter(plan.reached())) {
                    throw new BrokenChain("files go up to TXID " + index.newest() + ", only TXID " + plan.reached()
                            + " can be restored");
                }
                List<Stored> chain = plan.files().stream().map(index::stored).toList();
                merge(Level.SNAPSHOT, new TxidRange(Txid.ONE, plan.reached()), chain);
                counters.snapshots.increment();
            }
            case PlanOutcome.Broken broken -> throw new BrokenChain(broken.message());
            case PlanOutcome.NotAvailable(var reason, String message, var before, var after) -> {
                if (reason != PlanOutcome.Reason.NOTHING_STORED
                        || !unusable.files().isEmpty()) {
                    throw new BrokenChain(message);
                }
            }
        }
    }

    private void merge(Level level, TxidRange range, List<Stored> sources) throws IOException, InterruptedException {
        long bytes =
                sources.stream().mapToLong(stored -> stored.file().sizeBytes()).sum();
        files.requireRoom(sources.size() > OPEN_INPUTS_MAX ? 2 * bytes : bytes); // with intermediate results
        Path output = files.output();
        LtxTrailer trailer;
        try {
            Compactor.Compacted compacted;
            try (OutputStream out = WorkFiles.write(output)) {
                compacted = new Compactor(codec, OPEN_INPUTS_MAX, files)
                        .compact(sources.stream().map(this::input).toList(), out);
            }
            trailer = compacted.trailer();
            verify(output, range, compacted);
        } catch (CorruptDataException damaged) {
            condemn(sources, damaged);
            throw damaged;
        }
        checkNotLost();
        settleIntent(); // an earlier task of this turn may have failed at a write that arrived
        index.intend(level, range);
        ReplicaFile written = subject.replica().write(level, range, output);
        index.added(List.of(new Stored(written, trailer.fileChecksum())));
        Files.deleteIfExists(output);
        log.atDebug()
                .addKeyValue("db", subject.database())
                .addKeyValue("level", level)
                .addKeyValue("file", range)
                .addKeyValue("sources", sources.size())
                .addKeyValue("bytes", written.sizeBytes())
                .log("merged");
    }

    private Compactor.Input input(Stored stored) {
        return new Compactor.Input(Unusable.name(stored.file()), () -> new BoundInput(open(stored), stored));
    }

    /** A local copy saves a request, if it is the very file that was uploaded: names say nothing about histories. */
    private InputStream open(Stored stored) throws IOException {
        if (stored.file().level().equals(Level.L0)
                && stored.checksum() != 0
                && stored.file().sizeBytes() <= LOCAL_BYTES_MAX) {
            Path local = subject.localL0(stored);
            byte[] bytes = bytesOf(local);
            // Capture writes into a retired file again, but takes its name away first: while it has it, the bytes are
            // whole.
            if (bytes.length == stored.file().sizeBytes()
                    && ByteBuffer.wrap(bytes).getLong(bytes.length - Long.BYTES) == stored.checksum()
                    && Files.exists(local)) {
                return new ByteArrayInputStream(bytes);
            }
        }
        return new ResumableInputStream(subject.replica(), stored.file());
    }

    private static byte[] bytesOf(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(LOCAL_BYTES_MAX + 1);
        } catch (NoSuchFileException retired) {
            return new byte[0];
        }
    }

    /** Reads what was written as a restore would: only then may anything be deleted on the strength of it. */
    private void verify(Path output, TxidRange range, Compactor.Compacted compacted)
            throws IOException, InterruptedException {
        String name = output.toString();
        try (InputStream in = Files.newInputStream(output);
                LtxDecoder decoder = new LtxDecoder(in, name, codec)) {
            LtxHeader header = decoder.header();
            byte[] page = new byte[header.pageSize()];
            int pages = 0;
            while (decoder.nextPage(page, 0) != 0) {
                pages++;
            }
            LtxTrailer trailer = decoder.finish();
            if (!header.range().equals(range)
                    || header.commit() != compacted.header().commit()
                    || pages != compacted.pages()
                    || !trailer.equals(compacted.trailer())) {
                throw new BrokenInvariantException(subject.database() + ": merging to " + range + " wrote "
                        + header.range() + " with " + pages + " of " + compacted.pages() + " pages");
            }
        }
    }

    private void condemn(List<Stored> sources, CorruptDataException damaged) {
        for (Stored source : sources) {
            // An intermediate result is named after the first file in it.
            String name = Unusable.name(source.file());
            if (damaged.source().equals(name) || damaged.source().startsWith(name + " to ")) {
                unusable.add(source.file());
            }
        }
    }

    // ---- retention

    /** Deletes the L0 files that level 1 holds too and that are older than a moment. */
    void trimL0(Instant expired) throws IOException {
        List<Stored> going = Retention.expiredL0(index, expired);
        if (subject.levels().deletes()) {
            Set<Stored> instead = new LinkedHashSet<>();
            going.forEach(stored -> index.above(stored).ifPresent(instead::add));
            for (Stored stored : instead) {
                requireThere(stored);
            }
        }
        delete(Level.L0, going);
    }

    /** What takes the place of files that are to be deleted may have been removed by somebody, which the index cannot know. */
    private void requireThere(Stored stored) throws MissingFileException {
        Optional<ReplicaFile> found = subject.replica().find(stored.file().level(), stored.range());
        if (found.isEmpty() || found.get().sizeBytes() != stored.file().sizeBytes()) {
            throw new MissingFileException(subject.replica().describe() + ", " + Unusable.name(stored.file())
                    + ", which holds what was to be deleted at level 0");
        }
    }

    /** Deletes the snapshots from before a moment, except the newest, and what only they needed. */
    void trimSnapshots(Instant expired) throws IOException {
        Map<Level, List<Stored>> going = Retention.expiredSnapshots(index, subject.levels(), expired);
        List<Stored> all = new ArrayList<>();
        going.values().forEach(all::addAll);
        List<Stored> snapshots = index.level(Level.SNAPSHOT);
        List<Stored> old = going.getOrDefault(Level.SNAPSHOT, List.of());
        if (!old.isEmpty()
                && !Retention.keepsEverythingFrom(snapshots.get(old.size()).max(), index, all)) {
            throw new BrokenInvariantException(subject.database() + ": deleting " + all.size()
                    + " old files would make a kept point unrestorable; nothing was deleted");
        }
        for (Map.Entry<Level, List<Stored>> level : going.entrySet()) {
            delete(level.getKey(), level.getValue());
        }
    }

    private void delete(Level level, List<Stored> going) throws IOException {
        if (going.isEmpty()) {
            return;
        }
        if (subject.levels().deletes()) {
            checkOurs();
            subject.replica().delete(level, going.stream().map(Stored::range).toList());
        }
        index.removed(going);
        counters.deleted.add(going.size());
        log.atDebug()
                .addKeyValue("db", subject.database())
                .addKeyValue("level", level)
                .addKeyValue("files", going.size())
                .log(subject.levels().deletes() ? "deleted" : "no longer needed");
    }

    private void checkNotLost() {
        Optional<ConflictException> lost = subject.lost();
        if (lost.isPresent()) {
            throw lost.get();
        }
    }

    /**
     * Nothing is deleted from a replica that another server has gone on with, also when this one has not uploaded since and
     * does not know it yet: what it would upload next must not be there, unless it has uploaded that itself meanwhile.
     */
    private void checkOurs() {
        checkNotLost();
        Txid newest = index.newest();
        Optional<Stored> last = index.newest(Level.L0)
                .filter(stored -> stored.max().equals(newest))
                .or(() -> index.newest(Level.SNAPSHOT)
                        .filter(stored -> stored.max().equals(newest)));
        // Whoever went on and has deleted since what this would have been uploaded after, has deleted this one before.
        if (last.isPresent()
                && subject.replica()
                        .find(last.get().file().level(), last.get().range())
                        .isEmpty()) {
            throw new TransientStorageException(subject.database() + ": "
                    + subject.replica().describe()
                    + " lacks its newest file " + Unusable.name(last.get().file())
                    + ", which this server never deletes: nothing is deleted there");
        }
        Txid next = newest.next();
        boolean wentOn = subject.replica().find(Level.L0, TxidRange.of(next)).isPresent()
                || subject.replica()
                        .find(Level.SNAPSHOT, new TxidRange(Txid.ONE, next))
                        .isPresent();
        if (wentOn && !toldMeanwhile.get().isAfter(index.newest())) {
            throw new TransientStorageException(
                    subject.database() + ": " + subject.replica().describe() + " has TXID " + next
                            + ", which this server did not upload: nothing is deleted there");
        }
    }

    // ---- looking over

    /** Lists a level and says what is wrong with it; the number of complaints. */
    int lookOver(Level level) {
        int complaints = 0;
        ReplicaFile before = null;
        for (ReplicaFile file : subject.replica().list(level, Txid.ZERO)) {
            if (before != null
                    && !file.range().min().equals(before.range().max().next())) {
                boolean gap = file.range().min().isAfter(before.range().max());
                log.atWarn()
                        .addKeyValue("db", subject.database())
                        .addKeyValue("level", level)
                        .addKeyValue("type", gap ? "gap" : "overlap")
                        .addKeyValue("after", before.range())
                        .addKeyValue("file", file.range())
                        .log("the files of a level do not follow each other");
                complaints++;
            }
            before = file;
        }
        return complaints;
    }
}
