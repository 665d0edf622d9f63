package io.loomstream.app.top;

import java.util.ArrayDeque;
import java.util.List;

/** The last events, each once however often it is told. Thread-safe. */
final class RecentEvents {
    private final int max;
    /** The newest last; guarded by this. */
    private final ArrayDeque<Event> kept = new ArrayDeque<>();

    RecentEvents(int max) {
        this.max = max;
    }

    synchronized void addAll(List<Event> events) {
        for (Event event : events) {
            if (!kept.contains(event)) {
                kept.addLast(event);
            }
            if (kept.size() > max) {
                kept.removeFirst();
            }
        }
    }

    synchronized List<Event> all() {
        return List.copyOf(kept);
    }
}
