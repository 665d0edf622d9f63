package io.loomstream.app;

import io.loomstream.engine.restore.PlanOutcome;

/** Exit statuses other than 0 for success and 1 for any failure that has none of its own (docs/restore.md). */
final class ExitCode {
    static final int SUCCESS = 0;
    static final int FAILURE = 1;
    /** {@code verify}: the replica was looked at, and something is wrong with it. */
    static final int PROBLEM_FOUND = 2;

    private static final int AGED_OUT = 3;
    private static final int NOT_THERE_YET = 4;
    private static final int CHAIN_BROKEN = 5;

    private ExitCode() {}

    /** Of a restore whose target is not available. */
    static int of(PlanOutcome.Reason reason) {
        return switch (reason) {
            case NOTHING_STORED -> FAILURE;
            case AGED_OUT -> AGED_OUT;
            case NOT_THERE_YET -> NOT_THERE_YET;
            case CHAIN_BROKEN -> CHAIN_BROKEN;
        };
    }
}
