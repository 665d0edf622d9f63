package io.loomstream.engine.ltx;

/**
 * A compaction level: 0 holds one file a sync, 1 to 8 hold merged files, 9 holds full snapshots.
 */
public record Level(int number) implements Comparable<Level> {
    public static final Level L0 = new Level(0);
    public static final Level SNAPSHOT = new Level(9);

    public Level {
        if (number < 0 || number > 9) {
            throw new IllegalArgumentException("a level is 0 to 9, not " + number);
        }
    }

    @Override
    public int compareTo(Level other) {
        return Integer.compare(number, other.number);
    }

    @Override
    public String toString() {
        return Integer.toString(number);
    }
}
