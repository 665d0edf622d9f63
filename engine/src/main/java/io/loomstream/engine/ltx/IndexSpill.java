package io.loomstream.engine.ltx;

import java.io.IOException;
import java.nio.channels.SeekableByteChannel;

/** Where a page index under construction goes once it is too large for memory: a temporary file, for whoever has a place. */
@FunctionalInterface
public interface IndexSpill {
    /** A new, empty channel to write to and read from; the encoder closes it, and it should leave nothing behind. */
    SeekableByteChannel open() throws IOException;
}
