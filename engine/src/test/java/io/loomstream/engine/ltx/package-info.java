/** Tests of the LTX codec and the compactor: vectors, damage, properties. */
@NullMarked
package io.loomstream.engine.ltx;

import org.jspecify.annotations.NullMarked;
