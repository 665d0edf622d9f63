package io.loomstream.engine.ltx;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Closes several things, all of them, whatever happens. */
final class CloseAll {
    private CloseAll() {}

    /**
     * Closes everything.
     *
     * @param failure what is being thrown already, and takes what goes wrong here; null when nothing is
     * @throws IOException the first that closing gave, when there was no failure before
     */
    static void close(List<? extends Closeable> all, @Nullable Throwable failure) throws IOException {
        IOException closing = null;
        for (Closeable one : all) {
            try {
                one.close();
            } catch (IOException e) {
                if (failure != null) {
                    failure.addSuppressed(e);
                } else if (closing == null) {
                    closing = e;
                } else {
                    closing.addSuppressed(e);
                }
            }
        }
        if (closing != null) {
            throw closing;
        }
    }
}
