/** All databases of a process: which are looked at, in what order and how many at once. */
@NullMarked
package io.loomstream.engine.fleet;

import org.jspecify.annotations.NullMarked;
