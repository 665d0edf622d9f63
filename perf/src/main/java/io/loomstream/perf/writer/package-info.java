/** Applications that write to SQLite databases, each in its own habit, and record what they committed in a hash chain. */
@NullMarked
package io.loomstream.perf.writer;

import org.jspecify.annotations.NullMarked;
