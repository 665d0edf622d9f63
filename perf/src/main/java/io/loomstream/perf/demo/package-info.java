/** What {@code make demo} and {@code make run} show. */
@NullMarked
package io.loomstream.perf.demo;

import org.jspecify.annotations.NullMarked;
