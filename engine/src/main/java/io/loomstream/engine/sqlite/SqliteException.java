package io.loomstream.engine.sqlite;

import java.nio.file.Path;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/** SQLite refused a statement. Checked, since every caller has something sensible to do with BUSY. */
public final class SqliteException extends Exception {
    private static final long serialVersionUID = 1L;

    private static final int PRIMARY_CODE_MASK = 0xFF;

    private final int code;

    private SqliteException(String message, int code, @Nullable SQLException cause) {
        super(message, cause);
        this.code = code;
    }

    /** No connection more may be opened; others end theirs, so it is as BUSY. */
    static SqliteException noneLeft(Path database, int connectionsMax) {
        return new SqliteException(
                "open " + database + ": all " + connectionsMax + " connections (max-connections) are in use",
                SQLiteErrorCode.SQLITE_BUSY.code,
                null);
    }

    static SqliteException of(String what, SQLException cause) {
        int code = cause instanceof SQLiteException sqlite
                ? sqlite.getResultCode().code
                : SQLiteErrorCode.SQLITE_ERROR.code;
        return new SqliteException(what + ": " + cause.getMessage(), code, cause);
    }

    /** Somebody holds a lock; the same statement may pass in a moment. */
    public boolean busy() {
        int primary = code & PRIMARY_CODE_MASK;
        return primary == SQLiteErrorCode.SQLITE_BUSY.code
                || primary == SQLiteErrorCode.SQLITE_LOCKED.code
                || primary == SQLiteErrorCode.SQLITE_PROTOCOL.code;
    }

    /** The file is not a database. */
    public boolean notADatabase() {
        return (code & PRIMARY_CODE_MASK) == SQLiteErrorCode.SQLITE_NOTADB.code;
    }
}
