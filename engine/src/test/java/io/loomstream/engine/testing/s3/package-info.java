/** A real S3 server in this process, and a wire to it that can be cut. */
@NullMarked
package io.loomstream.engine.testing.s3;

import org.jspecify.annotations.NullMarked;
