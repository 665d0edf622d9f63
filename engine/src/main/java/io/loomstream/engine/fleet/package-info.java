/** Which databases a fleet has and which of them were written: patterns, path table, scanner, replica paths. */
@NullMarked
package io.loomstream.engine.fleet;

import org.jspecify.annotations.NullMarked;
