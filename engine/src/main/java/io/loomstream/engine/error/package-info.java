/** The engine's error kinds: one sealed root, six meanings, each saying whether a retry can help. */
@NullMarked
package io.loomstream.engine.error;

import org.jspecify.annotations.NullMarked;
