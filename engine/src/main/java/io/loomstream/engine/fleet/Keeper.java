package io.loomstream.engine.fleet;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.EngineException;
import io.loomstream.engine.error.TransientStorageException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes down what outlives the process: the catalog's digests in batches, the hot list and the path map on the replicas'
 * root. A failure of one is logged and tried again, and disturbs nobody: they only make a start, or a fail-over, faster. A hot
 * list or a map that another process wrote is different: it stops this one.
 */
final class Keeper {
    private static final Logger log = LoggerFactory.getLogger(Keeper.class);
    private static final Duration CATALOG_INTERVAL = Duration.ofSeconds(1);
    private static final int BATCH = 5000;

    private final Catalog catalog;
    private final @Nullable HotListKeeper hotList;
    private final @Nullable PathMapKeeper pathMap;
    private final Duration hotListInterval;
    private final Time time;
    private final ReentrantLock lock = new ReentrantLock();
    /** Held while the hot list is written: its keeper is for one thread. */
    private final ReentrantLock hotListLock = new ReentrantLock();

    private final BitSet changed = new BitSet(); // this and the next: guarded by lock
    private List<byte[]> gone = new ArrayList<>();
    private @Nullable KeptDigests kept;
    private long hotListAt;
    /** Every database was found once: a map made earlier would forget some. */
    private volatile boolean complete;

    /** Only the thread that writes the catalog looks at it. */
    private boolean pruned;

    /** What a fleet keeps on the replicas' root. */
    record OnRoot(HotListKeeper hotList, PathMapKeeper pathMap) {}

    Keeper(Catalog catalog, Optional<OnRoot> onRoot, Duration hotListInterval, Time time) {
        this.catalog = catalog;
        this.hotList = onRoot.map(OnRoot::hotList).orElse(null);
        this.pathMap = onRoot.map(OnRoot::pathMap).orElse(null);
        this.hotListInterval = hotListInterval;
        this.time = time;
    }

    /** Before the first pass: loads the digests, and says which paths were hot. */
    List<String> takeOver() {
        KeptDigests loaded = catalog.load();
        lock.lock();
        try {
            kept = loaded;
        } finally {
            lock.unlock();
        }
        if (hotList == null || pathMap == null) {
            return List.of();
        }
        try {
            pathMap.takeOver();
        } catch (EngineException unreadable) {
            log.atWarn().addKeyValue("error", unreadable.getMessage()).log("the path map could not be read");
        }
        try {
            return hotList.takeOver();
        } catch (EngineException unreadable) {
            log.atWarn().addKeyValue("error", unreadable.getMessage()).log("the hot list could not be read");
            return List.of();
        }
    }

    /** Whether nothing was kept from earlier times. */
    boolean firstStart() {
        return catalog.empty();
    }

    /** The digest that proved a database clean, or {@link DatabaseStamp#UNPROVEN}. */
    long digest(byte[] path) {
        lock.lock();
        try {
            return kept == null ? DatabaseStamp.UNPROVEN : kept.get(path);
        } finally {
            lock.unlock();
        }
    }

    /** The digests loaded at the start are not asked for any more. */
    void firstPassIsOver() {
        lock.lock();
        try {
            kept = null;
        } finally {
            lock.unlock();
        }
        complete = true;
    }

    /** A database came to the fleet, left it, or turned out to be one, or none. */
    void membersChanged() {
        if (pathMap != null) {
            pathMap.changed();
        }
    }

    /** Databases that the path map cannot hold. */
    int unnamed() {
        return pathMap == null ? 0 : pathMap.unnamed();
    }

    /** A row came to be COLD_CLEAN. */
    void changed(int row) {
        lock.lock();
        try {
            changed.set(row);
        } finally {
            lock.unlock();
        }
    }

    /** A database's file does not exist any more: its digest proves nothing. */
    void gone(byte[] path) {
        lock.lock();
        try {
            gone.add(path);
        } finally {
            lock.unlock();
        }
    }

    /** Writes until interrupted. */
    void run(PathTable table, Tiers tiers) throws InterruptedException {
        while (true) {
            time.sleep(CATALOG_INTERVAL);
            keepDigests(table);
            prune(table);
            if (time.nanoTime() - hotListAt >= hotListInterval.toNanos()) {
                hotListAt = time.nanoTime();
                keepHotList(table, tiers.hotRows());
            }
            keepPathMap(table, false);
        }
    }

    /** Writes what is left, and notes that the end was in order. */
    void end(PathTable table, List<Integer> hotRows) {
        keepDigests(table);
        try {
            keepHotList(table, hotRows);
            keepPathMap(table, true);
        } catch (ConflictException other) {
            log.atError().addKeyValue("error", other.getMessage()).log("what this server keeps is another process's");
        }
        catalog.endInOrder();
        catalog.close();
    }

    /** Once, when all databases were found: the catalog forgets those that went before this start. */
    private void prune(PathTable table) {
        if (!complete || pruned) {
            return;
        }
        try {
            int forgotten = catalog.forgetAllBut(path -> table.find(path) != PathTable.NONE);
            pruned = true;
            if (forgotten > 0) {
                log.atInfo().addKeyValue("databases", forgotten).log("went while no server ran");
            }
        } catch (TransientStorageException failed) {
            log.atWarn().addKeyValue("error", failed.getMessage()).log("the catalog waits");
        }
    }

    private void keepDigests(PathTable table) {
        Batch batch = take();
        while (!batch.isEmpty()) {
            List<Catalog.Entry> entries =
                    new ArrayList<>(batch.rows().size() + batch.gone().size());
            // First those: a file may have come back since, and be proven again.
            batch.gone().forEach(path -> entries.add(new Catalog.Entry(path, DatabaseStamp.UNPROVEN)));
            for (int row : batch.rows()) {
                table.entry(row).ifPresent(entries::add);
            }
            try {
                catalog.keep(entries);
            } catch (TransientStorageException failed) {
                log.atWarn().addKeyValue("error", failed.getMessage()).log("the catalog waits");
                batch.rows().forEach(this::changed);
                batch.gone().forEach(this::gone);
                return;
            }
            batch = take();
        }
    }

    /** What one transaction writes. */
    private record Batch(List<byte[]> gone, List<Integer> rows) {
        boolean isEmpty() {
            return gone.isEmpty() && rows.isEmpty();
        }
    }

    private Batch take() {
        List<Integer> rows = new ArrayList<>();
        lock.lock();
        try {
            List<byte[]> paths = gone;
            gone = new ArrayList<>();
            for (int row = changed.nextSetBit(0); row >= 0 && rows.size() < BATCH; row = changed.nextSetBit(row + 1)) {
                rows.add(row);
                changed.clear(row);
            }
            return new Batch(paths, rows);
        } finally {
            lock.unlock();
        }
    }

    private void keepHotList(PathTable table, List<Integer> hotRows) {
        try {
            persistHotList(table, hotRows);
        } catch (ConflictException other) {
            throw other;
        } catch (EngineException failed) {
            log.atWarn().addKeyValue("error", failed.getMessage()).log("the hot list waits");
        }
    }

    /** Writes the hot list if it says anything new; whether it did, or empty when none is kept. */
    Optional<Boolean> persistHotList(PathTable table, List<Integer> hotRows) {
        if (hotList == null) {
            return Optional.empty();
        }
        List<String> paths = new ArrayList<>(hotRows.size());
        for (int row : hotRows) {
            try {
                paths.add(new String(table.pathBytes(row), StandardCharsets.UTF_8));
            } catch (IllegalArgumentException forgotten) {
                log.atDebug().addKeyValue("row", row).log("a hot database is gone meanwhile");
            }
        }
        hotListLock.lock();
        try {
            return Optional.of(hotList.keep(paths));
        } finally {
            hotListLock.unlock();
        }
    }

    private void keepPathMap(PathTable table, boolean last) {
        if (pathMap == null || !complete) {
            return;
        }
        try {
            pathMap.keep(table, last);
        } catch (ConflictException other) {
            throw other;
        } catch (EngineException failed) {
            log.atWarn().addKeyValue("error", failed.getMessage()).log("the path map waits");
        }
    }
}
