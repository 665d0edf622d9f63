/** LTX codec: header, frames, index, checksums, file names and the compactor; knows no files, SQLite or S3. */
@NullMarked
package io.loomstream.engine.ltx;

import org.jspecify.annotations.NullMarked;
