/** System calls that Java lacks: open-file-description locks, positioned reads that survive interruption, statx. */
@NullMarked
package io.loomstream.engine.posix;

import org.jspecify.annotations.NullMarked;
