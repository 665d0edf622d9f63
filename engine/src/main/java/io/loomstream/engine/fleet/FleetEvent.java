package io.loomstream.engine.fleet;

import java.time.Instant;
import java.util.Optional;

/** Something that happened in a fleet, for those who watch. */
public sealed interface FleetEvent {
    /** When. */
    Instant at();

    /**
     * A database moved to another tier; a move to FAILED says the error.
     *
     * @param why in words
     */
    record Moved(Instant at, DatabaseId database, Tier from, Tier to, String why) implements FleetEvent {}

    /**
     * Something failed, and will be tried again.
     *
     * @param database empty when it is not about one database
     * @param why in words
     */
    record Failed(Instant at, Optional<DatabaseId> database, String why) implements FleetEvent {}

    /** A scan ended. */
    record Scanned(Instant at, PassReport report) implements FleetEvent {}

    /** The watcher was too slow: so many events before this one are lost to it. */
    record Lost(Instant at, long events) implements FleetEvent {}
}
