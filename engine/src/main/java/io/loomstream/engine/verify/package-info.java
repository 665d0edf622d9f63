/** Verification of replicas: whether what they hold is whole and can be restored. */
@NullMarked
package io.loomstream.engine.verify;

import org.jspecify.annotations.NullMarked;
