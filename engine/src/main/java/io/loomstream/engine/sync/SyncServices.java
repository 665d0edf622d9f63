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
 * @param owners which database has which file
 */
public record SyncServices(
        Time time,
        Posix posix,
        SqliteConnections connections,
        HoldTaker taker,
        Copier copier,
        Adoption adoption,
        BootId bootId,
        Owners owners) {

    public static SyncServices create(Time time, Posix posix, SqliteConnections connections, CodecResources resources) {
        return new SyncServices(
                time,
                posix,
                connections,
                new HoldTaker(time),
                new Copier(resources, time),
                new Adoption(resources),
                BootId.current(),
                new Owners());
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
