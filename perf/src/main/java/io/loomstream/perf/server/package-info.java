/** Loomstream as a child process. */
@NullMarked
package io.loomstream.perf.server;

import org.jspecify.annotations.NullMarked;
