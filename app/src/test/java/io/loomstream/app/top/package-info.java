/** Tests of what {@code loomstream top} shows. */
@NullMarked
package io.loomstream.app.top;

import org.jspecify.annotations.NullMarked;
