/** Tests of holds, wal-index and file ownership against applications in processes of their own. */
@NullMarked
package io.loomstream.engine.sqlite;

import org.jspecify.annotations.NullMarked;
