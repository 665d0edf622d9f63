/** Levels, snapshots and retention over simulated days, with faults and crashes, against copies of every state. */
@NullMarked
package io.loomstream.engine.compaction;

import org.jspecify.annotations.NullMarked;
