/** Help for tests: applications in processes of their own. */
@NullMarked
package io.loomstream.engine.testing;

import org.jspecify.annotations.NullMarked;
