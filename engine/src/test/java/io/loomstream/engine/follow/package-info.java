/** Tests of follow mode, with real readers in processes of their own. */
@NullMarked
package io.loomstream.engine.follow;

import org.jspecify.annotations.NullMarked;
