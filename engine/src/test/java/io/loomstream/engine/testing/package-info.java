/** Help for tests: applications in processes of their own, files as values, seeds. */
@NullMarked
package io.loomstream.engine.testing;

import org.jspecify.annotations.NullMarked;
