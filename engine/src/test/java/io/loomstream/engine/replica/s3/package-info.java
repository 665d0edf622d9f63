/** Tests of the S3 replica against a real S3 server, with and without faults in between. */
@NullMarked
package io.loomstream.engine.replica.s3;

import org.jspecify.annotations.NullMarked;
