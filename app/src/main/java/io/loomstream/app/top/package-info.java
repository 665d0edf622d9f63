/** What {@code loomstream top} shows: asks a running server over its admin API, and lays out a screen. */
@NullMarked
package io.loomstream.app.top;

import org.jspecify.annotations.NullMarked;
