/** Replicas in S3 and in stores that speak its protocol; the only package that names an AWS type. */
@NullMarked
package io.loomstream.engine.replica.s3;

import org.jspecify.annotations.NullMarked;
