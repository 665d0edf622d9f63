/** Tests of the WAL reader, with SQLite itself as the judge. */
@NullMarked
package io.loomstream.engine.wal;

import org.jspecify.annotations.NullMarked;
