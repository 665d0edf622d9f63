package io.loomstream.engine.compaction;

import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.LtxHeader;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.replica.ReplicaFile;
import io.loomstream.engine.restore.Restore;
import io.loomstream.engine.restore.RestoreOutcome;
import io.loomstream.engine.restore.RestoreProgress;
import io.loomstream.engine.restore.RestoreRequest;
import io.loomstream.engine.restore.Target;
import io.loomstream.engine.sync.LostReplicas;
import io.loomstream.engine.testing.LtxSpec;
import io.loomstream.engine.wal.WalSalts;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * One database without SQLite: its pages are made up, every state of it is kept, and its L0 files come to a real file
 * replica as capture would bring them. Its maintenance lives in simulated time and can be killed.
 */
final class History {
    static final int PAGE_SIZE = 512;
    private static final int PAGES_MAX = 40;

    final SimulatedTime time;
    final FaultyReplica replica;
    final List<String> asked = new ArrayList<>();
    /** When each TXID was made. */
    final TreeMap<Long, Instant> moments = new TreeMap<>();
    /** What the database was then. */
    final Map<Long, byte[]> images = new HashMap<>();

    final LostReplicas lostReplicas = new LostReplicas();

    private final Path directory;
    private final Random random;
    private final Levels levels;
    private final String name;
    private final Map<Integer, byte[]> pages = new HashMap<>();
    private int commit;
    private int pageSize = PAGE_SIZE;
    private long txid;
    private Maintenance maintenance;

    private final SiteTable table = row -> Optional.of(site());

    private final Site site = new Site() {
        @Override
        public String name() {
            return name;
        }

        @Override
        public Optional<Subject> subject() {
            return Optional.of(new Subject(directory.resolve(name), meta(), replica, levels, lostReplicas));
        }

        @Override
        public Optional<SiteTable.Seat> seat() {
            return Optional.of(new SiteTable.Seat(table, 0));
        }

        @Override
        public void wantsCompleteCopy(String why) {
            asked.add(why);
        }
    };

    History(Path directory, Random random, Levels levels, SimulatedTime time) throws IOException {
        this.directory = directory;
        this.random = random;
        this.levels = levels;
        this.time = time;
        this.name = directory.getFileName() + ".db";
        this.replica = new FaultyReplica(new FileReplicaClient(directory.resolve("replica"), FileAccess.PRIVATE));
        Files.createDirectories(meta());
        this.maintenance = maintenanceOf(time);
    }

    static Maintenance maintenanceOf(SimulatedTime time) {
        return new Maintenance(new Gate("compaction", 4), new Gate("snapshot", 4), time, CodecResources.shared());
    }

    Path database() {
        return directory.resolve(name);
    }

    Path meta() {
        return directory.resolve("meta");
    }

    Site site() {
        return site;
    }

    Maintenance maintenance() {
        return maintenance;
    }

    long txid() {
        return txid;
    }

    Instant now() {
        return time.now();
    }

    // ---- the application, and capture

    /** Changes some pages, sometimes the size, and brings the difference to the replica. */
    void commit() throws IOException, InterruptedException {
        Set<Integer> changed = change();
        write(changed, false);
    }

    /** Capture has lost its place and copies every page. */
    void commitEverything() throws IOException, InterruptedException {
        change();
        write(all(), false);
    }

    /** As after the maintenance asked for a complete copy. */
    void commitCompleteCopy() throws IOException, InterruptedException {
        change();
        write(all(), true);
    }

    /** The page size changes; capture stores the new state as a snapshot only, which no L0 file has. */
    void bridgeWithPageSize(int bytes) throws IOException, InterruptedException {
        pageSize = bytes;
        commit = 3 + random.nextInt(5);
        pages.clear();
        for (int number : all()) {
            byte[] page = new byte[pageSize];
            random.nextBytes(page);
            pages.put(number, page);
        }
        txid++;
        moments.put(txid, now());
        images.put(txid, image());
        upload(Level.SNAPSHOT, new TxidRange(Txid.ONE, new Txid(txid)), all());
    }

    /** Another server goes on with the replica; this one is not told. */
    void anotherServerCommits() throws IOException, InterruptedException {
        Path file = directory.resolve("other.ltx");
        TxidRange range = TxidRange.of(new Txid(txid + 1));
        LtxSpec spec = LtxSpec.of(LtxHeader.of(pageSize, commit, range, now().toEpochMilli(), 0, 0, WalSalts.NONE));
        Files.write(file, spec.page(1, pages.get(1)).encode());
        new FileReplicaClient(directory.resolve("replica"), FileAccess.PRIVATE).write(Level.L0, range, file);
    }

    /** And merges that, and deletes it at level 0 together with what was before it; only the newest file stays there. */
    void anotherServerTrims() throws IOException, InterruptedException {
        FileReplicaClient client = new FileReplicaClient(directory.resolve("replica"), FileAccess.PRIVATE);
        TxidRange range = new TxidRange(new Txid(txid + 1), new Txid(txid + 2));
        Path file = directory.resolve("other.ltx");
        for (Level level : List.of(new Level(1), Level.L0)) {
            TxidRange name = level.equals(Level.L0) ? TxidRange.of(range.max()) : range;
            LtxSpec spec = LtxSpec.of(LtxHeader.of(pageSize, commit, name, now().toEpochMilli(), 0, 0, WalSalts.NONE));
            Files.write(file, spec.page(1, pages.get(1)).encode());
            client.write(level, name, file);
        }
        client.delete(
                Level.L0,
                files(0).stream().filter(old -> range.max().isAfter(old.max())).toList());
    }

    /** The page size changes within level 0, as another program may leave it. */
    void changePageSizeWithinLevelZero(int bytes) throws IOException, InterruptedException {
        pageSize = bytes;
        for (int number : all()) {
            byte[] page = new byte[pageSize];
            random.nextBytes(page);
            pages.put(number, page);
        }
        write(all(), false);
    }

    /** Capture numbers a copy that never arrives. */
    void loseOne() {
        change();
        txid++;
    }

    private Set<Integer> all() {
        TreeSet<Integer> all = new TreeSet<>();
        for (int number = 1; number <= commit; number++) {
            all.add(number);
        }
        return all;
    }

    private Set<Integer> change() {
        int before = commit;
        commit = switch (random.nextInt(20)) {
            case 0 -> Math.max(1, commit / 10); // a VACUUM
            case 1, 2, 3 -> Math.min(PAGES_MAX, commit + 1 + random.nextInt(5));
            default -> Math.max(1, commit);
        };
        TreeSet<Integer> changed = new TreeSet<>();
        for (int number = before + 1; number <= commit; number++) {
            changed.add(number);
        }
        for (int i = 0; i <= random.nextInt(4); i++) {
            changed.add(1 + random.nextInt(commit));
        }
        for (int number : changed) {
            byte[] page = new byte[pageSize];
            random.nextBytes(page);
            pages.put(number, page);
        }
        return changed;
    }

    private void write(Set<Integer> changed, boolean alsoAsSnapshot) throws IOException, InterruptedException {
        txid++;
        moments.put(txid, now());
        images.put(txid, image());
        if (alsoAsSnapshot) {
            upload(Level.SNAPSHOT, new TxidRange(Txid.ONE, new Txid(txid)), all());
        }
        upload(Level.L0, TxidRange.of(new Txid(txid)), changed);
    }

    private void upload(Level level, TxidRange range, Set<Integer> numbers) throws IOException, InterruptedException {
        LtxSpec spec = LtxSpec.of(LtxHeader.of(pageSize, commit, range, now().toEpochMilli(), 0, 0, WalSalts.NONE));
        for (int number : numbers) {
            spec = spec.page(number, pages.get(number));
        }
        byte[] bytes = spec.encode();
        Path file = directory.resolve("upload.ltx");
        Files.write(file, bytes);
        ReplicaFile written =
                new FileReplicaClient(directory.resolve("replica"), FileAccess.PRIVATE).write(level, range, file);
        long checksum = ByteBuffer.wrap(bytes).getLong(bytes.length - Long.BYTES);
        maintenance.stored(site, levels, written, level.equals(Level.L0) ? checksum : 0);
    }

    private byte[] image() {
        ByteArrayOutputStream image = new ByteArrayOutputStream();
        for (int number = 1; number <= commit; number++) {
            image.writeBytes(pages.get(number));
        }
        return image.toByteArray();
    }

    // ---- maintenance

    /** Goes to a moment; what is due until then is done when it is due. */
    void goTo(long nanos) throws InterruptedException {
        while (true) {
            Optional<Long> due = maintenance.nextDueNanos();
            if (due.isEmpty() || due.get() > nanos) {
                break;
            }
            time.goTo(due.get());
            try {
                maintenance.runDue();
            } catch (FaultyReplica.Killed killed) {
                restart(false);
            }
        }
        time.goTo(nanos);
    }

    /** Another process begins, after a kill or an end in order. */
    void restart(boolean inOrder) {
        if (inOrder) {
            maintenance.end();
        }
        maintenance = maintenanceOf(time);
        maintenance.rediscover(site, meta());
        maintenance.located(site, levels, new Txid(txid));
    }

    // ---- restoring

    /** What a restore of the file replica comes to; what it made is in {@code restored}. */
    RestoreOutcome restore(Target target, Path restored) throws IOException, InterruptedException {
        Files.deleteIfExists(restored);
        return Restore.from(
                        new FileReplicaClient(directory.resolve("replica"), FileAccess.PRIVATE), RestoreProgress.NONE)
                .run(RestoreRequest.latest(restored).to(target));
    }

    /** The names of a level's files. */
    List<TxidRange> files(int level) {
        return new FileReplicaClient(directory.resolve("replica"), FileAccess.PRIVATE)
                .list(new Level(level), Txid.ZERO).stream()
                        .map(ReplicaFile::range)
                        .toList();
    }

    Path path(int level, TxidRange range) {
        return directory.resolve("replica/ltx/" + level).resolve(range.fileName());
    }

    FileTime modified(int level, TxidRange range) throws IOException {
        return Files.getLastModifiedTime(path(level, range));
    }
}
