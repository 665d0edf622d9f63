package io.loomstream.engine.fleet;

/**
 * What a run that copies databases once does with the replica of each that it copied.
 *
 * @param snapshot whether to make a snapshot, unless there is one of the newest state
 * @param retention whether to delete snapshots that are past their retention, and what only they needed
 */
public record Afterwards(boolean snapshot, boolean retention) {
    public static final Afterwards NOTHING = new Afterwards(false, false);

    boolean isNothing() {
        return !snapshot && !retention;
    }
}
