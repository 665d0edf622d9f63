package io.loomstream.engine.compaction;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.ReplicaFile;
import io.loomstream.engine.restore.Listing;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which files a replica holds, by level: what makes compaction and retention possible without a listing, since nobody else
 * writes there. Kept in a {@link LevelJournal}; every change is in the file when its method returns.
 *
 * <p>Opened for one piece of work and dropped again. Not thread-safe.
 */
final class LevelIndex implements AutoCloseable {
    private final LevelJournal journal;
    private final List<NavigableMap<TxidRange, Stored>> levels;
    /** What {@link #level} and {@link #newest(Level)} gave since the level last changed: they are asked for many times. */
    private final @Nullable List<Stored>[] lists;

    private final @Nullable Optional<Stored>[] newest;

    private @Nullable Intent intent;

    /** A file that was about to be written when the index was last used: it may be there or not. */
    record Intent(Level level, TxidRange range) {}

    @SuppressWarnings({"unchecked", "rawtypes"})
    private LevelIndex(LevelJournal journal) {
        this.journal = journal;
        this.levels = emptyLevels();
        this.lists = new List[levels.size()];
        this.newest = new Optional[levels.size()];
    }

    private static List<NavigableMap<TxidRange, Stored>> emptyLevels() {
        List<NavigableMap<TxidRange, Stored>> levels = new ArrayList<>();
        for (int number = 0; number <= Level.SNAPSHOT.number(); number++) {
            levels.add(new TreeMap<>());
        }
        return levels;
    }

    /**
     * Reads an index.
     *
     * @param file where it is kept
     * @param replica names the replica; an index of another one counts for nothing
     * @return empty when there is none that can be believed
     */
    static Optional<LevelIndex> open(Path file, String replica) throws IOException {
        Optional<LevelJournal.Opened> opened = LevelJournal.open(file, replica);
        if (opened.isEmpty()) {
            return Optional.empty();
        }
        LevelIndex index = new LevelIndex(opened.get().journal());
        opened.get().records().forEach(index::replay);
        return Optional.of(index);
    }

    /** Begins an index anew with these files. */
    static LevelIndex create(Path file, String replica, Collection<Stored> files) throws IOException {
        List<LevelJournal.Entry> entries = files.stream()
                .map(stored -> LevelJournal.Entry.of(LevelJournal.Kind.ADDED, stored))
                .toList();
        LevelIndex index = new LevelIndex(LevelJournal.create(file, replica, entries));
        entries.forEach(index::replay);
        return index;
    }

    private void replay(LevelJournal.Entry entry) {
        Level level = entry.stored().file().level();
        lists[level.number()] = null;
        newest[level.number()] = null;
        switch (entry.kind()) {
            case ADDED -> {
                levels.get(level.number()).put(entry.stored().range(), entry.stored());
                if (intent != null
                        && intent.equals(new Intent(level, entry.stored().range()))) {
                    intent = null;
                }
            }
            case REMOVED -> levels.get(level.number()).remove(entry.stored().range());
            case INTENT -> intent = new Intent(level, entry.stored().range());
            case DROPPED -> intent = null;
        }
    }

    /** The files of a level in order. */
    List<Stored> level(Level level) {
        List<Stored> known = lists[level.number()];
        if (known == null) {
            known = List.copyOf(levels.get(level.number()).values());
            lists[level.number()] = known;
        }
        return known;
    }

    Optional<Stored> newest(Level level) {
        Optional<Stored> known = newest[level.number()];
        if (known == null) {
            known = levels.get(level.number()).values().stream().max(Comparator.comparing(Stored::max));
            newest[level.number()] = known;
        }
        return known;
    }

    /** The end of the newest file of a level; zero when it is empty. */
    Txid reached(Level level) {
        return newest(level).map(Stored::max).orElse(Txid.ZERO);
    }

    /** The end of the newest file of all; zero when there is none. */
    Txid newest() {
        Txid newest = Txid.ZERO;
        for (int number = 0; number < levels.size(); number++) {
            newest = newest.max(reached(new Level(number)));
        }
        return newest;
    }

    /** The end of the longest file that begins at the first TXID; zero when there is none. */
    Txid reachedFromTheFirst() {
        TxidRange shortest = TxidRange.of(Txid.ONE);
        TxidRange longest = new TxidRange(Txid.ONE, new Txid(-1));
        Txid reached = Txid.ZERO;
        for (NavigableMap<TxidRange, Stored> level : levels) {
            Map.Entry<TxidRange, Stored> last = level.floorEntry(longest);
            if (last != null && last.getKey().compareTo(shortest) >= 0) {
                reached = reached.max(last.getKey().max());
            }
        }
        return reached;
    }

    /** The lowest file of a higher level that covers the same TXIDs as one of L0; empty when none does. */
    Optional<Stored> above(Stored stored) {
        TxidRange lastFromThere = new TxidRange(stored.min(), new Txid(-1));
        for (NavigableMap<TxidRange, Stored> level : levels.subList(1, levels.size())) {
            for (Stored other :
                    level.headMap(lastFromThere, true).descendingMap().values()) {
                if (!stored.max().isAfter(other.max())) {
                    return Optional.of(other);
                }
                if (stored.min().isAfter(other.max())) {
                    break; // those before it end even earlier, unless they overlap; then the file is only kept longer
                }
            }
        }
        return Optional.empty();
    }

    Listing listing() {
        List<ReplicaFile> files = new ArrayList<>();
        levels.forEach(level -> level.values().forEach(stored -> files.add(stored.file())));
        return new Listing(files);
    }

    /** What is known about a file of the listing. */
    Stored stored(ReplicaFile file) {
        Stored stored = levels.get(file.level().number()).get(file.range());
        return stored == null ? new Stored(file, 0) : stored;
    }

    /** What was about to be written and is not known to be there; empty when there is no such doubt. */
    Optional<Intent> intent() {
        return Optional.ofNullable(intent);
    }

    /** Takes note that a file is about to be written. */
    void intend(Level level, TxidRange range) throws IOException {
        append(LevelJournal.Kind.INTENT, List.of(marker(level, range)));
    }

    /** The file that was about to be written is not there. */
    void dropIntent() throws IOException {
        Intent dropped = intent;
        if (dropped != null) {
            append(LevelJournal.Kind.DROPPED, List.of(marker(dropped.level(), dropped.range())));
        }
    }

    /** Takes note of files that the replica has. */
    void added(List<Stored> files) throws IOException {
        append(LevelJournal.Kind.ADDED, files);
    }

    /** Takes note of files that the replica has no longer, or that are not ours to look after any more. */
    void removed(List<Stored> files) throws IOException {
        append(LevelJournal.Kind.REMOVED, files);
    }

    private static Stored marker(Level level, TxidRange range) {
        return new Stored(new ReplicaFile(level, range, 0, Instant.EPOCH), 0);
    }

    private void append(LevelJournal.Kind kind, List<Stored> files) throws IOException {
        if (files.isEmpty()) {
            return;
        }
        List<LevelJournal.Entry> entries =
                files.stream().map(file -> LevelJournal.Entry.of(kind, file)).toList();
        journal.append(entries);
        entries.forEach(this::replay);
    }

    /**
     * Ends the work: notes when there is something to do next, and tidies the file up when it has grown.
     *
     * @param due empty: nothing before the database changes again
     */
    void end(Optional<Instant> due) throws IOException {
        if (journal.isUntidy(files())) {
            journal.replaceAll(live());
        }
        journal.due(due);
    }

    private int files() {
        return levels.stream().mapToInt(NavigableMap::size).sum();
    }

    private List<LevelJournal.Entry> live() {
        List<LevelJournal.Entry> live = new ArrayList<>();
        levels.forEach(level ->
                level.values().forEach(stored -> live.add(LevelJournal.Entry.of(LevelJournal.Kind.ADDED, stored))));
        if (intent != null) {
            live.add(LevelJournal.Entry.of(LevelJournal.Kind.INTENT, marker(intent.level(), intent.range())));
        }
        return live;
    }

    @Override
    public void close() throws IOException {
        journal.close();
    }
}
