package io.loomstream.perf.writer;

/**
 * What one writer met.
 *
 * @param refused changes of the journal mode that SQLite did not make; a replicator's hold forbids them by design
 */
public record Tally(long commits, long busy, long corrupt, long protocol, long other, long refused) {
    /** Errors that an application without a replicator beside it would not see. */
    public long errors() {
        return busy + corrupt + protocol + other;
    }

    static Tally parse(String[] words, int from) {
        return new Tally(
                Long.parseLong(words[from]),
                Long.parseLong(words[from + 1]),
                Long.parseLong(words[from + 2]),
                Long.parseLong(words[from + 3]),
                Long.parseLong(words[from + 4]),
                Long.parseLong(words[from + 5]));
    }

    @Override
    public String toString() {
        return commits + " commits, busy " + busy + ", corrupt " + corrupt + ", protocol " + protocol + ", other "
                + other + ", refused mode changes " + refused;
    }
}
