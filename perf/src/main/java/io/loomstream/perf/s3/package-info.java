/** What S3 uploads cost: throughput, memory and connections of the HTTP clients. */
@NullMarked
package io.loomstream.perf.s3;

import org.jspecify.annotations.NullMarked;
