package io.loomstream.engine.sync;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.posix.Posix;
import io.loomstream.engine.sqlite.DatabaseFiles;
import io.loomstream.engine.sqlite.HoldTaker;
import io.loomstream.engine.sqlite.SqliteConnections;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.security.SecureRandom;

/**
 * What all databases of a process share.
 *
 * @param time clocks
 * @param posix system calls
 * @param connections SQLite connections
 * @param taker takes holds
 * @param copier writes L0 files
 * @param adoption takes positions over from L0 files without a cursor
 * @param bootId this start of the machine
 * @param codec LZ4 and what goes with it
 * @param hashing of page indexes
 * @param counters of verdicts and copies
 * @param owners which database has which file
 * @param lostReplicas where nothing may be uploaded any more
 * @param usedReplicas where this process has been
 */
public record SyncServices(
        Time time,
        Posix posix,
        SqliteConnections connections,
        HoldTaker taker,
        Copier copier,
        Adoption adoption,
        BootId bootId,
        CodecResources codec,
        PageIndex.Hashing hashing,
        SyncCounters counters,
        Owners owners,
        LostReplicas lostReplicas,
        UsedReplicas usedReplicas) {

    public static SyncServices create(Time time, Posix posix, SqliteConnections connections, CodecResources resources) {
        return new SyncServices(
                time,
                posix,
                connections,
                new HoldTaker(time),
                new Copier(posix, resources, time),
                new Adoption(resources),
                BootId.current(),
                resources,
                new PageIndex.Hashing(new SipHash128(), new SecureRandom()),
                new SyncCounters(),
                new Owners(),
                new LostReplicas(),
                new UsedReplicas());
    }

    /** The same with other page hashes: for tests of the tests. */
    SyncServices withHash(PageHash hash) {
        return new SyncServices(
                time,
                posix,
                connections,
                taker,
                copier,
                adoption,
                bootId,
                codec,
                new PageIndex.Hashing(hash, hashing.keys()),
                counters,
                owners,
                lostReplicas,
                usedReplicas);
    }

    /** The same after another start of the machine: for tests. */
    SyncServices withBoot(BootId boot) {
        return new SyncServices(
                time,
                posix,
                connections,
                taker,
                copier,
                adoption,
                boot,
                codec,
                hashing,
                counters,
                owners,
                lostReplicas,
                usedReplicas);
    }

    PageIndex pageIndex(LocalFiles local) {
        return new PageIndex(local, hashing, codec);
    }

    PageDiff differences(PageIndexFile basis) {
        return new PageDiff(copier, codec, hashing.hash(), basis);
    }

    DatabaseFiles files(Path database) {
        return new DatabaseFiles(posix, connections, database);
    }

    /** Makes a file durable. */
    void syncToDisk(Path file) throws IOException {
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "r")) {
            open.getFD().sync();
        }
    }
}
