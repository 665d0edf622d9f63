package io.loomstream.engine.fleet;

import java.util.List;

/** How far a scan is that somebody asked for. */
public sealed interface ScanState {
    /** Its number, counted from 1 since the start of the server. */
    long id();

    /** Waits or runs. */
    record Running(long id) implements ScanState {}

    /** One report for each section of the configuration that finds databases. */
    record Ended(long id, List<PassReport> reports) implements ScanState {
        public Ended {
            reports = List.copyOf(reports);
        }
    }

    /** It ended early: the server stops, or it failed; the log says more. */
    record GivenUp(long id) implements ScanState {}
}
