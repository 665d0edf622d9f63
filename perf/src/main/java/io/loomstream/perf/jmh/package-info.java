/** JMH micro-benchmarks of what every copied byte goes through. */
@NullMarked
package io.loomstream.perf.jmh;

import org.jspecify.annotations.NullMarked;
