/** Whether a restored database is what it has to be. */
@NullMarked
package io.loomstream.perf.check;

import org.jspecify.annotations.NullMarked;
