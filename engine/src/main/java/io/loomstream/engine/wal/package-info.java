/** SQLite WAL: header, frames, checksums and the page map ending at a commit. */
@NullMarked
package io.loomstream.engine.wal;

import org.jspecify.annotations.NullMarked;
