/** Follow mode: keeps a restored database up to date from its replica while others read it. */
@NullMarked
package io.loomstream.engine.follow;

import org.jspecify.annotations.NullMarked;
