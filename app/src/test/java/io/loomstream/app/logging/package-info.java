/** Tests of the log lines. */
@NullMarked
package io.loomstream.app.logging;

import org.jspecify.annotations.NullMarked;
