/** Tests of the fleet, most of them with real databases and processes. */
@NullMarked
package io.loomstream.engine.fleet;

import org.jspecify.annotations.NullMarked;
