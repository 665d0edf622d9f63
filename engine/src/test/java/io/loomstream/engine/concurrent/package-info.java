/** Tests of scopes and gates: no thread and no permit is ever lost. */
@NullMarked
package io.loomstream.engine.concurrent;

import org.jspecify.annotations.NullMarked;
