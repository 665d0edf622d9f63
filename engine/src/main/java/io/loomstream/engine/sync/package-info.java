/** One database: cursor, continuity verdict, and the copy from WAL to L0 LTX files. */
@NullMarked
package io.loomstream.engine.sync;

import org.jspecify.annotations.NullMarked;
