package io.loomstream.engine.fleet;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.fleet.HotList.Owner;
import io.loomstream.engine.fleet.PathMap.Entry;
import io.loomstream.engine.fleet.PathMap.Summary;
import io.loomstream.engine.replica.RootStore;
import io.loomstream.engine.replica.RootStore.Stored;
import java.io.ByteArrayInputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the path map on the replicas' root. Nothing is looked at unless databases came or went, nothing is written unless the
 * map says something else than the one that is there, and never more often than every database is looked at: a fleet at rest
 * costs no request.
 *
 * <p>For one thread, but for {@link #changed}.
 */
final class PathMapKeeper {
    private static final Logger log = LoggerFactory.getLogger(PathMapKeeper.class);

    private final RootStore root;
    private final Owner owner;
    private final Duration interval;
    private final BiFunction<Path, Integer, String> replicas;
    private final Time time;
    private final String name;
    private final String base;
    private final AtomicBoolean changed = new AtomicBoolean();
    private Optional<String> version = Optional.empty();
    private @Nullable Summary written;
    private boolean takenOver;
    private boolean begun;
    private long keptAt;
    private volatile int unnamed;

    /**
     * Of one fleet.
     *
     * @param interval least time between two writes
     * @param replicas from a path and the number of its pattern to where its replica is; throws
     *     {@link IllegalArgumentException} for a database that is not replicated
     */
    PathMapKeeper(
            RootStore root, Owner owner, Duration interval, BiFunction<Path, Integer, String> replicas, Time time) {
        this.root = root;
        this.owner = owner;
        this.interval = interval;
        this.replicas = replicas;
        this.time = time;
        this.name = name(owner.instance());
        String described = root.describe();
        this.base = described.substring(0, described.length() - RootStore.DIRECTORY.length());
    }

    /** The map's name below the root. */
    static String name(String instance) {
        return instance + "/databases.jsonl.gz";
    }

    /** Looks at what the last process of this instance left: an equal map is not written again. */
    void takeOver() {
        Optional<Stored> stored = root.read(name);
        version = stored.map(Stored::version);
        takenOver = true;
        if (stored.isEmpty()) {
            return;
        }
        try {
            written = PathMap.read(
                    new ByteArrayInputStream(stored.get().bytes()), root.describe() + "/" + name, entry -> {});
        } catch (CorruptDataException damaged) {
            log.warn("the path map will be replaced: {}", damaged.getMessage());
        }
    }

    /** A database came, or went. */
    void changed() {
        changed.set(true);
    }

    /** Databases that are not in the map: their names are not UTF-8, or their replica paths are refused. */
    int unnamed() {
        return unnamed;
    }

    /**
     * Writes the map if it is time for that and it says anything new. Not to be called before every database was found once.
     *
     * @return whether it was written
     * @throws ConflictException naming the other owner, when another process wrote it since
     */
    boolean keep(PathTable table, boolean last) {
        boolean due = !begun || last || time.nanoTime() - keptAt >= interval.toNanos();
        if (!due || !changed.getAndSet(false)) {
            return false;
        }
        begun = true;
        keptAt = time.nanoTime();
        boolean done = false;
        try (PathMap.Writer writer = new PathMap.Writer(owner, time.now())) {
            if (!takenOver) {
                takeOver(); // the store was away at the start: what it has is not another process's for that
            }
            fill(writer, table);
            Summary now = writer.summary();
            boolean news = !now.equals(written);
            if (news) {
                version = Optional.of(replace(writer.finish()));
                written = now;
            }
            done = true;
            return news;
        } finally {
            if (!done) {
                changed.set(true);
            }
        }
    }

    private void fill(PathMap.Writer writer, PathTable table) {
        int without = 0;
        int limit = table.limit();
        for (int row = 0; row < limit; row++) {
            Optional<PathTable.Place> place = table.place(row);
            if (place.isEmpty()) {
                continue;
            }
            Optional<Path> path = place.get().path();
            if (path.isEmpty()) {
                without++; // not UTF-8: JSON cannot say it, and Java cannot name the file
                continue;
            }
            try {
                String replica = replicas.apply(path.get(), place.get().pattern());
                writer.add(new Entry(
                        path.get().toString(), replica.startsWith(base) ? replica.substring(base.length()) : replica));
            } catch (IllegalArgumentException refused) {
                without++;
            }
        }
        unnamed = without;
        if (without > 0) {
            log.atWarn()
                    .addKeyValue("databases", without)
                    .log("not in the path map: their names are not UTF-8, or cannot be part of a replica path");
        }
    }

    private String replace(byte[] map) {
        try {
            return root.write(name, map, version);
        } catch (ConflictException other) {
            throw new ConflictException(
                    "another process wrote the path map of this instance, " + root.describe() + "/" + name
                            + "; this is " + owner,
                    other);
        }
    }
}
