/** The HTTP admin API; an empty room until its issue furnishes it. */
@NullMarked
package io.loomstream.admin;

import org.jspecify.annotations.NullMarked;
