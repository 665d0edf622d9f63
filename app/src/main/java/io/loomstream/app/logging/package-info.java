/** Where log lines go: an SLF4J provider that writes text, JSON or short lines, configurable while it runs. */
@NullMarked
package io.loomstream.app.logging;

import org.jspecify.annotations.NullMarked;
