/** Restore: plan from a replica's files, execution to a verified database file. */
@NullMarked
package io.loomstream.engine.restore;

import org.jspecify.annotations.NullMarked;
