/** Fleets of databases under measurement. */
@NullMarked
package io.loomstream.perf.fleet;

import org.jspecify.annotations.NullMarked;
