/** Tests of verification, each paired with a real restore. */
@NullMarked
package io.loomstream.engine.verify;

import org.jspecify.annotations.NullMarked;
