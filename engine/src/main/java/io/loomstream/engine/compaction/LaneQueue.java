package io.loomstream.engine.compaction;

import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/** What waits at one gate, the earliest first: units, and rows of tables. Not thread-safe: {@link Waiting} guards it. */
final class LaneQueue {
    private static final long SECOND = 1_000_000_000;

    private final long startNanos;
    private final TreeSet<Unit> units = new TreeSet<>(
            Comparator.<Unit>comparingLong(unit -> unit.dueNanos - startNanos()).thenComparingLong(Unit::number));
    private final Map<SiteTable, DueRows> tables = new HashMap<>();

    /**
     * Creates an empty queue.
     *
     * @param startNanos the monotonic clock's now; times of rows are seconds since then
     */
    LaneQueue(long startNanos) {
        this.startNanos = startNanos;
    }

    /** A row that waited. */
    record Parked(SiteTable.Seat seat, int mark) {}

    private long startNanos() {
        return startNanos;
    }

    int parked() {
        return tables.values().stream().mapToInt(DueRows::size).sum();
    }

    long parkedBytes() {
        return tables.values().stream().mapToLong(DueRows::memoryBytes).sum();
    }

    /** Its time must not change while it is in here. */
    void add(Unit unit) {
        units.add(unit);
    }

    void remove(Unit unit) {
        units.remove(unit);
    }

    Optional<Unit> firstUnit() {
        return units.isEmpty() ? Optional.empty() : Optional.of(units.first());
    }

    /** Never before its time, and less than a second after it. */
    void park(SiteTable.Seat seat, int mark, long dueNanos, long nowNanos) {
        long since = Math.max(0, dueNanos - startNanos);
        boolean isDue = dueNanos - nowNanos <= 0;
        long seconds = since / SECOND + (isDue || since % SECOND == 0 ? 0 : 1);
        tables.computeIfAbsent(seat.table(), table -> new DueRows())
                .put(seat.row(), mark, (int) Math.min(seconds, Integer.MAX_VALUE));
    }

    /** When a database is due that is parked at a seat, nanoseconds; whoever was parked there is not any more. */
    Optional<Long> unpark(SiteTable.Seat seat, int mark) {
        DueRows rows = tables.get(seat.table());
        int position = rows == null ? DueRows.NONE : rows.find(seat.row());
        if (rows == null || position == DueRows.NONE) {
            return Optional.empty();
        }
        boolean same = rows.mark(position) == mark;
        long due = nanos(rows.due(position));
        rows.remove(position);
        return same ? Optional.of(due) : Optional.empty();
    }

    /** When a database is due that is parked at a seat, nanoseconds. */
    Optional<Long> due(SiteTable.Seat seat, int mark) {
        DueRows rows = tables.get(seat.table());
        int position = rows == null ? DueRows.NONE : rows.find(seat.row());
        if (rows == null || position == DueRows.NONE || rows.mark(position) != mark) {
            return Optional.empty();
        }
        return Optional.of(nanos(rows.due(position)));
    }

    private long nanos(int seconds) {
        return startNanos + seconds * SECOND;
    }

    /** When the first is due, nanoseconds. */
    Optional<Long> firstDue() {
        Optional<Long> first = firstUnit().map(unit -> unit.dueNanos);
        for (DueRows rows : tables.values()) {
            if (rows.size() > 0) {
                long due = nanos(rows.due(0));
                if (first.isEmpty() || due - first.get() < 0) {
                    first = Optional.of(due);
                }
            }
        }
        return first;
    }

    /** Takes out the first row; there is one. */
    Parked takeParked() {
        SiteTable earliest = tables.entrySet().stream()
                .filter(entry -> entry.getValue().size() > 0)
                .min(Comparator.comparingInt(entry -> entry.getValue().due(0)))
                .orElseThrow()
                .getKey();
        DueRows rows = tables.get(earliest);
        if (rows == null) {
            throw new IllegalStateException("no rows of " + earliest);
        }
        Parked parked = new Parked(new SiteTable.Seat(earliest, rows.row(0)), rows.mark(0));
        rows.remove(0);
        return parked;
    }
}
