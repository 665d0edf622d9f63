package io.loomstream.admin;

import io.javalin.http.Context;
import io.loomstream.engine.fleet.FleetEvent;
import io.loomstream.engine.fleet.FleetEvents;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/** {@code GET /events}: server-sent events, one virtual thread for each who listens. */
final class EventStream {
    private static final Duration LOOK = Duration.ofMillis(500);
    private static final int LOOKS_PER_SIGN_OF_LIFE = 20;

    private final FleetEvents events;
    private volatile boolean ending;

    EventStream(FleetEvents events) {
        this.events = events;
    }

    void serve(Context context) throws IOException, InterruptedException {
        new Query(context, Set.of());
        try (FleetEvents.Watcher watcher = events.watch().orElseThrow(() -> Admission.busy(context))) {
            context.contentType("text/event-stream").disableCompression();
            OutputStream out = context.res().getOutputStream(); // the context's own holds bytes back
            send(out, ": connected\n\n");
            int quiet = 0;
            while (!ending) {
                Optional<FleetEvent> event = watcher.next(LOOK);
                if (event.isPresent()) {
                    send(
                            out,
                            "event: " + FleetJson.kind(event.get()) + "\ndata: " + FleetJson.event(event.get())
                                    + "\n\n");
                    quiet = 0;
                } else if (++quiet % LOOKS_PER_SIGN_OF_LIFE == 0) {
                    send(out, ": quiet\n\n"); // finds out whether anybody still listens
                }
            }
        }
    }

    private static void send(OutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    /** All streams end within a second. */
    void end() {
        ending = true;
    }
}
