package io.loomstream.engine.restore;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Lines of UTF-8, and where each ends; a last one without its line feed is none. Not thread-safe. */
final class LineInput {
    private final InputStream in;
    private long position;

    LineInput(InputStream in) {
        this.in = new BufferedInputStream(in, 64 << 10);
    }

    /** The next line without its line feed; null at the end. */
    @Nullable
    String next() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b = in.read(); b >= 0; b = in.read()) {
            if (b == '\n') {
                position += line.size() + 1;
                return line.toString(StandardCharsets.UTF_8);
            }
            line.write(b);
        }
        return null;
    }

    /** The end of the last line, bytes. */
    long position() {
        return position;
    }
}
