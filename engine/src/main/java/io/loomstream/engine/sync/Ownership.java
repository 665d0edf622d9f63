package io.loomstream.engine.sync;

import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.posix.FileStat;
import io.loomstream.engine.sqlite.DatabaseFiles;
import io.loomstream.engine.sqlite.WalHold;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * That one capture alone, of all processes, works on a database file and on a meta directory. Within the process
 * {@link Owners} sees to it; between processes a lock does, which is on the cursor file or, while there is a hold, in the
 * database.
 *
 * <p>Used by one task at a time, under its database's lock.
 */
final class Ownership {
    private static final Logger log = LoggerFactory.getLogger(Ownership.class);

    private final DatabaseOptions options;
    private final DatabaseFiles files;
    private final SyncServices services;
    private @Nullable FileStat database;
    private @Nullable FileStat meta;
    private @Nullable CursorFile cursorFile;

    Ownership(DatabaseOptions options, DatabaseFiles files, SyncServices services) {
        this.options = options;
        this.files = files;
        this.services = services;
    }

    /** Whether this very file is ours already. */
    boolean has(FileStat found) {
        FileStat ours = database;
        return ours != null && ours.sameFileAs(found);
    }

    /**
     * Makes a database file ours, in place of the one before.
     *
     * @throws ConflictException when another path of this process has it
     */
    void claim(FileStat found) {
        disclaim();
        services.owners().claim(found, options.path(), Owners.DATABASE);
        database = found;
    }

    /** Gives the database file up. */
    void disclaim() {
        FileStat ours = database;
        if (ours != null) {
            services.owners().release(ours, options.path());
            database = null;
        }
    }

    /** The open cursor file; null before {@link #openMeta} and after an end. */
    @Nullable
    CursorFile cursorFile() {
        return cursorFile;
    }

    /**
     * Makes the meta directory ours.
     *
     * @throws ConflictException when somebody else has it
     */
    CursorFile openMeta(LocalFiles local) throws IOException {
        // Before the cursor file is opened: where its lock is the process's, closing it would drop that of another
        // database.
        FileStat found = services.posix()
                .stat(options.metaPath())
                .orElseThrow(() -> new NoSuchFileException(options.metaPath().toString()));
        services.owners().claim(found, options.path(), Owners.META);
        meta = found;
        CursorFile opened = CursorFile.open(
                services.posix(), local.cursorFile(), services.bootId(), services.time(), this::claimedByAnother);
        cursorFile = opened;
        return opened;
    }

    private boolean claimedByAnother(Path other) throws IOException {
        FileStat found = services.posix().stat(other).orElse(null);
        if (found == null) {
            return false;
        }
        boolean ours = has(found);
        if (!ours) {
            try {
                // Nobody here may begin with it now: closing a descriptor would drop SQLite's locks on it.
                services.owners().claim(found, options.path(), Owners.DATABASE);
            } catch (ConflictException servedHere) {
                return false;
            }
        }
        try {
            return files.claimedByAnother(other);
        } finally {
            if (!ours) {
                services.owners().release(found, options.path());
            }
        }
    }

    /**
     * Says by a hold that the database is ours, and lets the cursor file's lock go where that suffices.
     *
     * @throws ConflictException when another replicator says so
     */
    void sayBy(WalHold hold) throws IOException {
        CursorFile file = cursorFile;
        switch (hold.claim()) {
            case OURS -> {
                if (file != null && options.hold() != HoldMode.NONE) {
                    file.lockedIn(files.database());
                }
            }
            case ANOTHERS ->
                throw new ConflictException(options.path()
                        + ": in use by another replicator, with another meta directory than " + options.metaPath());
            case IMPOSSIBLE -> {}
        }
    }

    /** To be called before a hold is given up: from here on the cursor file has the lock. */
    void holdGoes() {
        CursorFile file = cursorFile;
        if (file == null) {
            return;
        }
        boolean locked = false;
        try {
            locked = file.lockHere();
        } catch (IOException e) {
            log.atDebug().addKeyValue("db", options.path()).setCause(e).log("the cursor file cannot be locked");
        }
        if (!locked) {
            log.atWarn()
                    .addKeyValue("db", options.path())
                    .log("the meta directory could not be kept; it is asked for anew");
            closeMeta();
        }
    }

    /** Gives the meta directory up. */
    void closeMeta() {
        CursorFile file = cursorFile;
        cursorFile = null;
        if (file != null) {
            file.close();
        }
        FileStat ours = meta;
        meta = null;
        if (ours != null) {
            services.owners().release(ours, options.path());
        }
    }

    /** Gives everything up; idempotent. */
    void end() {
        disclaim();
        closeMeta();
    }
}
