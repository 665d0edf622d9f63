/** Demo, writers, fleet generator and benchmarks; never part of the server. */
@NullMarked
package io.loomstream.perf;

import org.jspecify.annotations.NullMarked;
