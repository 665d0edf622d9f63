/** Compaction levels, snapshots and retention of one replica each, and which database has such work to do when. */
@NullMarked
package io.loomstream.engine.compaction;

import org.jspecify.annotations.NullMarked;
