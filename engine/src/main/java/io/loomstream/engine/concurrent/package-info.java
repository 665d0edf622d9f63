/** Structured task scope, gates and buffers: every thread and permit has an owner. */
@NullMarked
package io.loomstream.engine.concurrent;

import org.jspecify.annotations.NullMarked;
