/** How fast a database comes back. */
@NullMarked
package io.loomstream.perf.restore;

import org.jspecify.annotations.NullMarked;
