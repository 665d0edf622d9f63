/** The HTTP side against running fleets of real databases. */
@NullMarked
package io.loomstream.admin;

import org.jspecify.annotations.NullMarked;
