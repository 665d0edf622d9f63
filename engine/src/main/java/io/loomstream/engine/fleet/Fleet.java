package io.loomstream.engine.fleet;

import io.loomstream.engine.compaction.Maintenance;
import io.loomstream.engine.compaction.Site;
import io.loomstream.engine.compaction.SiteTable;
import io.loomstream.engine.concurrent.TaskScope;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.EngineException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.fleet.Tiers.Assignment;
import io.loomstream.engine.posix.Posix;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.sqlite.DatabaseFiles;
import io.loomstream.engine.sync.DatabaseOptions;
import io.loomstream.engine.sync.DatabaseSpec;
import io.loomstream.engine.sync.FileFingerprint;
import io.loomstream.engine.sync.LostReplicas;
import io.loomstream.engine.sync.ReplicatedDatabase;
import io.loomstream.engine.sync.SyncServices;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The databases that one section of the configuration selects: found by the scanner, kept in the path table, moved between
 * tiers, served by the process's one {@link Service}. Three threads of its own: scanner, admission, and the keeper of what
 * outlives the process.
 */
final class Fleet implements ScanListener, SiteTable {
    private static final Logger log = LoggerFactory.getLogger(Fleet.class);
    private static final Duration PROGRESS_INTERVAL = Duration.ofSeconds(10);
    private static final double SCAN_JITTER = 0.05;

    private final FleetOptions options;
    private final SyncServices services;
    private final Service service;
    private final Time time;
    private final RandomGenerator random;
    private final PathTable table = new PathTable();
    private final Tiers tiers;
    private final Scanner scanner;
    private final @Nullable Keeper keeper;
    private final FleetEvents events;
    private final Census census = new Census();

    /** Rows of the first pass, until they are put in order. */
    private final Found found = new Found();

    private final AtomicBoolean firstPassOver = new AtomicBoolean();
    private final CountDownLatch firstPass = new CountDownLatch(1);
    private final Maintenance maintenance;
    /** Rows whose next look is to copy every page. */
    private final Set<Integer> completeCopies = ConcurrentHashMap.newKeySet();

    private final ReentrantLock admission = new ReentrantLock();
    private volatile Set<String> hotBefore = Set.of();
    private final NamedFiles named;
    private final PlaceClaims.@Nullable Member claims;

    /** Rows that were GONE when the last pass ended. The scanning thread's. */
    private BitSet goneBefore = new BitSet();

    Fleet(
            FleetOptions options,
            SyncServices services,
            Service service,
            Maintenance maintenance,
            int seedingMax,
            RandomGenerator random,
            Optional<Keeper> keeper,
            NamedFiles named,
            PlaceClaims claims,
            FleetEvents events) {
        this.events = events;
        this.options = options;
        this.services = services;
        this.service = service;
        this.maintenance = maintenance;
        this.time = services.time();
        this.random = random;
        this.keeper = keeper.orElse(null);
        this.named = named;
        this.claims = options.places()
                .map(places -> claims.join(table, places, path -> hotBefore.contains(path)))
                .orElse(null);
        this.tiers = new Tiers(table, options, seedingMax, time, random, this::changed);
        this.scanner = Scanner.of(
                table, options.selection(), Optional.of(services.posix()), time, this, options.fullScanInterval());
    }

    PathTable table() {
        return table;
    }

    Tiers tiers() {
        return tiers;
    }

    Census census() {
        return census;
    }

    FleetOptions options() {
        return options;
    }

    /** Whether every database has been seen once. */
    boolean firstPassOver() {
        return firstPassOver.get();
    }

    /**
     * Writes the hot list now, if it says anything new.
     *
     * @return whether it was written; empty when none is kept
     * @throws EngineException when the replicas' root cannot be written, or another process wrote the list
     */
    Optional<Boolean> persistHotList() {
        return keeper == null ? Optional.empty() : keeper.persistHotList(table, tiers.hotRows());
    }

    /** Forks the fleet's threads. */
    void dispatchIn(TaskScope dispatchers) {
        dispatchers.fork(() -> {
            scan();
            return null;
        });
        dispatchers.fork(() -> {
            admit();
            return null;
        });
        dispatchers.fork(() -> {
            firstPass.await();
            rediscover();
            return null;
        });
        if (keeper != null) {
            dispatchers.fork(() -> {
                keeper.run(table, tiers);
                return null;
            });
        }
    }

    // ---- scanner

    private void scan() throws InterruptedException {
        takeOver();
        long pause = 0;
        while (true) {
            time.sleep(Duration.ofNanos(pause));
            PassReport report = scanner.pass();
            firstPassEnded(report);
            forgetGone();
            long interval = options.scanInterval().toNanos();
            if (report.wallNanos() > interval) {
                log.atWarn()
                        .addKeyValue("seconds", report.wallNanos() / 1e9)
                        .addKeyValue("databases", report.databases())
                        .log("a scan took longer than the scan interval; the next one waits");
            }
            long jitter = (long) (interval * SCAN_JITTER * random.nextDouble());
            // A slow scan backs off: at most half of the time goes into scanning.
            pause = Math.max(interval - jitter - report.wallNanos(), report.wallNanos());
        }
    }

    /**
     * Forgets databases whose files were gone at the last pass already: whoever speaks of a row that has just gone is done by
     * then. A directory that is not watched keeps those of its start, which are served again when they come back.
     */
    private void forgetGone() {
        BitSet gone = new BitSet();
        if (table.count(Tier.GONE) > 0) {
            for (int row : table.rows(Tier.GONE)) {
                boolean comesBack = options.fixed() && found.wasAtStart(row);
                if (comesBack || !goneBefore.get(row) || !tiers.forget(row)) {
                    gone.set(row);
                }
            }
        }
        goneBefore = gone;
    }

    /** What is missing now was deleted on purpose: the next scan takes it for gone, however much it is. */
    void acceptVanished() {
        scanner.acceptVanished();
    }

    /** One scan outside the rhythm. */
    PassReport scanNow(boolean everything) throws InterruptedException {
        return everything ? scanner.fullPass() : scanner.pass();
    }

    private void takeOver() {
        if (keeper != null) {
            hotBefore = new HashSet<>(keeper.takeOver());
        }
    }

    /** A stop that comes early makes a pass of its own, and goes on only when everybody found is waiting for their turn. */
    private void firstPassEnded(PassReport report) {
        admission.lock();
        try {
            if (firstPassOver.compareAndSet(false, true)) {
                admitFound(report);
                firstPass.countDown();
            }
        } finally {
            admission.unlock();
        }
    }

    /** After the first pass: the hot ones of the last time, then the most recently written. */
    private void admitFound(PassReport report) {
        List<Integer> rows = NewestFirst.order(found.take(), table::writtenSeconds);
        boolean firstStart = keeper == null || keeper.firstStart();
        long recent = time.now().getEpochSecond() - options.recentlyWritten().toSeconds();
        for (int row : rows) {
            if (firstStart && keeper != null && table.writtenSeconds(row) >= recent) {
                tiers.comesFirst(row);
            } else {
                tiers.discovered(row);
            }
        }
        firstPassIsOver();
        log.atInfo()
                .addKeyValue("databases", report.databases())
                .addKeyValue("to_check", rows.size())
                .addKeyValue("proven_clean", table.count(Tier.COLD_CLEAN))
                .addKeyValue("seconds", report.wallNanos() / 1e9)
                .log("databases found");
    }

    private void firstPassIsOver() {
        hotBefore = Set.of();
        if (keeper != null) {
            keeper.firstPassIsOver();
        }
        if (claims != null) {
            claims.firstPassIsOver();
        }
    }

    @Override
    public void appeared(int row) {
        boolean first = !firstPassOver.get();
        if (options.fixed() && !(first ? found.atStart(row) : found.wasAtStart(row))) {
            log.atDebug().addKeyValue("db", name(row)).log("came after the start and is not watched for");
            return;
        }
        if (keeper != null) {
            keeper.membersChanged();
        }
        boolean proven = keeper != null && table.settleAsKept(row, keeper.digest(table.pathBytes(row)));
        claim(row);
        if (!first) {
            if (proven) {
                rediscover(row); // it was away, and so was what it had to do
            } else {
                tiers.discovered(row);
            }
            return;
        }
        boolean wasHot =
                !hotBefore.isEmpty() && hotBefore.contains(new String(table.pathBytes(row), StandardCharsets.UTF_8));
        if (wasHot) {
            tiers.comesFirst(row);
        } else if (!proven) {
            found.add(row);
        }
    }

    /** Who has the database's place on the replica, if that is another one. */
    private Optional<String> claim(int row) {
        try {
            return claims == null ? Optional.empty() : claims.claim(row);
        } catch (IllegalArgumentException noPlace) {
            return Optional.empty(); // it cannot be served either, and is told so when its turn comes
        }
    }

    /** A pass may have two threads. */
    private static final class Found {
        private final ReentrantLock lock = new ReentrantLock();
        private List<Integer> rows = new ArrayList<>();
        private final BitSet atStart = new BitSet();

        boolean atStart(int row) {
            lock.lock();
            try {
                atStart.set(row);
                return true;
            } finally {
                lock.unlock();
            }
        }

        boolean wasAtStart(int row) {
            lock.lock();
            try {
                return atStart.get(row);
            } finally {
                lock.unlock();
            }
        }

        void add(int row) {
            lock.lock();
            try {
                rows.add(row);
            } finally {
                lock.unlock();
            }
        }

        List<Integer> take() {
            lock.lock();
            try {
                List<Integer> taken = rows;
                rows = new ArrayList<>();
                return taken;
            } finally {
                lock.unlock();
            }
        }
    }

    @Override
    public void written(int row, boolean replaced) {
        tiers.written(row);
    }

    @Override
    public void gone(int row) {
        tiers.gone(row);
    }

    @Override
    public void unknown(int row, String why) {
        census.unknown();
        log.atDebug().addKeyValue("db", name(row)).addKeyValue("error", why).log("could not be looked at");
    }

    @Override
    public void unreadable(byte[] directory, String why) {
        if (census.worthALine(time.nanoTime())) {
            events.failed(Optional.empty(), "a directory could not be looked at: " + why);
            log.atWarn()
                    .addKeyValue("directory", new String(directory, StandardCharsets.UTF_8))
                    .addKeyValue("error", why)
                    .log("a directory could not be looked at; nothing is concluded about what is in it");
        }
    }

    @Override
    public void refused(byte[] path, Refusal why, int row) {
        if (census.worthALine(time.nanoTime())) {
            log.atWarn()
                    .addKeyValue("db", new String(path, StandardCharsets.UTF_8))
                    .addKeyValue("reason", why)
                    .addKeyValue("other", row == PathTable.NONE ? "" : name(row))
                    .log("matches, and is not replicated");
        }
    }

    @Override
    public void incident(int missing, int known) {
        if (!census.worthSaying(missing, time.nanoTime())) {
            return;
        }
        events.failed(
                Optional.empty(),
                missing + " of " + known + " databases vanished at once: nothing is concluded from it");
        log.atError()
                .addKeyValue("missing", missing)
                .addKeyValue("known", known)
                .log("so many databases vanished at once that nothing is concluded from it; is a volume unmounted?"
                        + " If they were deleted: POST /scan?acceptVanished=true");
    }

    @Override
    public void finished(PassReport report) {
        census.scanned(report);
        events.publish(at -> new FleetEvent.Scanned(at, report));
    }

    private String name(int row) {
        return new String(table.pathBytes(row), StandardCharsets.UTF_8);
    }

    // ---- admission

    private void admit() throws InterruptedException {
        long saidAt = time.nanoTime();
        while (true) {
            begin(tiers.next());
            if (time.nanoTime() - saidAt > PROGRESS_INTERVAL.toNanos()) {
                saidAt = time.nanoTime();
                progress();
            }
        }
    }

    private void progress() {
        int waiting = tiers.waiting();
        if (waiting > 0) {
            log.atInfo()
                    .addKeyValue("waiting", waiting)
                    .addKeyValue("served", tiers.served())
                    .addKeyValue("cold_clean", table.count(Tier.COLD_CLEAN))
                    .addKeyValue("databases", table.size())
                    .log("catching up");
        }
    }

    private void begin(Assignment next) throws InterruptedException {
        int row = next.row();
        DatabaseStamp stamp;
        DatabaseSpec spec;
        try {
            Path path = pathOf(row);
            Optional<DatabaseStamp> found = stamp(path);
            if (found.isEmpty()) {
                tiers.vanished(next);
                return;
            }
            stamp = found.get();
            try {
                spec = spec(row, path);
            } catch (IllegalArgumentException e) {
                tiers.refused(next, stamp, String.valueOf(e.getMessage()));
                return;
            }
        } catch (IllegalArgumentException | IOException | EngineException e) {
            tiers.cannotBegin(next, String.valueOf(e.getMessage()));
            return;
        } catch (RuntimeException bug) {
            // One database that we cannot cope with must not take the others along.
            log.atError().addKeyValue("db", name(row)).setCause(bug).log("a database cannot be served");
            tiers.cannotBegin(next, String.valueOf(bug));
            return;
        }
        ReplicatedDatabase database = new ReplicatedDatabase(
                spec, services, SpecSite.listener(maintenance, new FleetSite(this, name(row)), spec.levels()));
        LiveDatabase live = LiveDatabase.ofFleet(database, next, stamp, tiers, time.nanoTime());
        tiers.serving(live);
        if (completeCopies.remove(row)) {
            database.wantCompleteCopy();
        }
        service.begin(live);
    }

    private Path pathOf(int row) {
        return table.path(row)
                .orElseThrow(() -> new IllegalArgumentException("its name is not UTF-8: Java cannot name the file"));
    }

    /**
     * How a database is replicated.
     *
     * @throws IllegalArgumentException when it is not, for as long as its files stay as they are
     * @throws ConflictException when another one has its place on the replica
     */
    private DatabaseSpec spec(int row, Path path) throws IOException {
        if (named.has(path) || services.posix().stat(path).filter(named::has).isPresent()) {
            throw new IllegalArgumentException("it is replicated as a database that the configuration names");
        }
        DatabaseSpec spec = options.specs().apply(path, table.pattern(row));
        Optional<String> owner = claim(row);
        if (owner.isPresent()) {
            String why = "its replica path is that of " + owner.get() + ": two databases cannot share one";
            if (census.worthALine(time.nanoTime())) {
                log.atWarn()
                        .addKeyValue("db", path)
                        .addKeyValue("other", owner.get())
                        .log("not replicated: its replica path is that of the other database");
            }
            throw new ConflictException(why);
        }
        return spec;
    }

    // ---- compaction

    /** How a database is replicated; empty when it is not, or not any more. */
    Optional<DatabaseSpec> spec(String name) {
        int row = table.find(name.getBytes(StandardCharsets.UTF_8));
        if (row == PathTable.NONE) {
            return Optional.empty();
        }
        try {
            return Optional.of(spec(row, pathOf(row)));
        } catch (IllegalArgumentException | ConflictException notOurs) {
            return Optional.empty();
        } catch (IOException e) {
            throw new TransientStorageException(name + " cannot be looked at: " + e.getMessage(), e);
        }
    }

    @Override
    public Optional<Site> site(int row) {
        return table.name(row).map(name -> new FleetSite(this, name));
    }

    /** What an earlier process left to do; from one small file each, beside everything else. */
    private void rediscover() throws InterruptedException {
        for (int row = 0; row < table.limit(); row++) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            rediscover(row);
        }
    }

    private void rediscover(int row) {
        try {
            Optional<Path> path = table.tier(row).isPresent() ? table.path(row) : Optional.empty();
            if (path.isPresent()) {
                String name = path.get().toString();
                Path meta = options.places()
                        .map(places -> places.metaPath(name, table.pattern(row)))
                        .orElseGet(() -> DatabaseOptions.defaultMetaPath(path.get()));
                maintenance.rediscover(new FleetSite(this, name), meta);
            }
        } catch (IllegalArgumentException goneMeanwhile) {
            log.atDebug().setCause(goneMeanwhile).log("nothing is left to do for a database");
        }
    }

    /** Has every page of a database copied, now or when its turn comes. */
    void wantCompleteCopy(String name) throws InterruptedException {
        int row = table.find(name.getBytes(StandardCharsets.UTF_8));
        if (row == PathTable.NONE) {
            return;
        }
        for (LiveDatabase live : tiers.live()) {
            if (live.row() == row) {
                live.database().wantCompleteCopy();
                return;
            }
        }
        completeCopies.add(row);
        if (table.transition(row, Tier.COLD_CLEAN, Tier.COLD_DIRTY)) {
            tiers.written(row);
        }
    }

    /**
     * Where a database's copies are, whether or not it is served now.
     *
     * @throws IllegalArgumentException when it is not replicated
     * @throws EngineException when its files cannot be looked at, or another one has its place on the replica
     */
    ReplicaClient replica(int row) {
        Path path = pathOf(row);
        try {
            return spec(row, path).replica();
        } catch (IOException e) {
            throw new TransientStorageException(path + " cannot be looked at: " + e.getMessage(), e);
        }
    }

    /** Empty when there is no such file. */
    private Optional<DatabaseStamp> stamp(Path path) throws IOException {
        Posix posix = services.posix();
        FileFingerprint file = FileFingerprint.of(posix.stat(path), time.now());
        if (file.isAbsent()) {
            return Optional.empty();
        }
        FileFingerprint wal = FileFingerprint.ofContent(posix.stat(DatabaseFiles.sibling(path, "-wal")), time.now());
        FileFingerprint journal = FileFingerprint.of(posix.stat(DatabaseFiles.sibling(path, "-journal")), time.now());
        return Optional.of(DatabaseStamp.of(file, wal, journal));
    }

    // ---- once

    /** Is told what one look at a fleet came to. */
    interface OnceListener {
        void serve(DatabaseSpec database) throws InterruptedException;

        void refused(Path database, String why);
    }

    /** Looks for databases and hands out all that are not proven clean, the most recently written first. */
    void once(OnceListener listener) throws InterruptedException {
        takeOver();
        scanner.pass();
        List<Integer> rows = NewestFirst.order(found.take(), table::writtenSeconds);
        firstPassOver.set(true);
        firstPassIsOver();
        for (int row : rows) {
            try {
                Path path = pathOf(row);
                if (FoundDatabases.isDatabase(path)) {
                    listener.serve(spec(row, path));
                }
            } catch (IllegalArgumentException notOurs) {
                log.atDebug()
                        .addKeyValue("db", name(row))
                        .addKeyValue("reason", notOurs.getMessage())
                        .log("left alone");
            } catch (IOException | EngineException e) {
                listener.refused(pathOf(row), String.valueOf(e.getMessage()));
            }
        }
    }

    // ---- end

    /** Looks once more, then lets everybody go who is served, and serves everybody once who waits. */
    void drain() throws InterruptedException {
        firstPassEnded(scanner.pass());
        tiers.drain();
    }

    /** Whether nobody waits or is served any more, but for hot databases that cannot leave for so long already. */
    boolean drained(Duration patience) {
        return tiers.drained(patience);
    }

    /** Databases that changed and were not served. */
    int unserved() {
        return tiers.waiting() + tiers.heldBack() + table.count(Tier.FAILED);
    }

    /** Writes down what the next start wants to know. All threads have ended. */
    void end() {
        if (keeper != null) {
            keeper.end(table, tiers.hotRows());
        }
    }

    // ---- changes

    private void changed(int row, Tier from, Tier to, String why) {
        census.moved(from, to);
        events.moved(DatabaseId.of(table.pathBytes(row)), from, to, why);
        if (to == Tier.FAILED || to == Tier.IGNORED) {
            log.atDebug()
                    .addKeyValue("db", name(row))
                    .addKeyValue("tier", to)
                    .addKeyValue("reason", why)
                    .log("moved");
        }
        if (to == Tier.COLD_CLEAN) {
            maintenance.departed(new FleetSite(this, name(row)));
        }
        if (keeper != null && to == Tier.COLD_CLEAN) {
            keeper.changed(row);
        } else if (keeper != null && to == Tier.GONE) {
            keeper.gone(table.pathBytes(row)); // the row may be another database's when it is written down
        }
        if (keeper != null && (to == Tier.GONE || to == Tier.IGNORED || from == Tier.GONE || from == Tier.IGNORED)) {
            keeper.membersChanged();
        }
    }

    /** The replicas that are another server's. */
    LostReplicas lostReplicas() {
        return services.lostReplicas();
    }
}
