package io.loomstream.engine.sync;

import java.io.IOException;

/** Takes the pages of a file in the order in which they are encoded; the buffer is used again afterwards. */
@FunctionalInterface
interface PageTap {
    /** Lets them pass. */
    PageTap NONE = (number, buffer, offset) -> {};

    void page(int number, byte[] buffer, int offset) throws IOException, InterruptedException;
}
