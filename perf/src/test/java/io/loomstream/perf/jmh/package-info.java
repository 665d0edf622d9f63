/** Tests that keep the benchmarks alive. */
@NullMarked
package io.loomstream.perf.jmh;

import org.jspecify.annotations.NullMarked;
