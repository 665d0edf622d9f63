/** Tests of the system calls against the kernel and other processes. */
@NullMarked
package io.loomstream.engine.posix;

import org.jspecify.annotations.NullMarked;
