/** Where LTX files are kept: the replica client interface and its file backend. */
@NullMarked
package io.loomstream.engine.replica;

import org.jspecify.annotations.NullMarked;
