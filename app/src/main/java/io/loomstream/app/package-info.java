/** The program: command line, wiring in start order, logging. */
@NullMarked
package io.loomstream.app;

import org.jspecify.annotations.NullMarked;
