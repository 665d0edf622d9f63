/** SQLite files seen from outside: header, wal-index, the WAL hold and JDBC connections. */
@NullMarked
package io.loomstream.engine.sqlite;

import org.jspecify.annotations.NullMarked;
