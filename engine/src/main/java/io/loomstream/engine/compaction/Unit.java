package io.loomstream.engine.compaction;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaFile;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A database that has something to do or has told something: what came to its replica since its index was last written,
 * and when its work is due. Exists only for as long as there is any of that. Guarded by the {@link Maintenance}'s lock,
 * except what only the running task uses.
 */
final class Unit {
    static final long NOT_QUEUED = Long.MAX_VALUE;
    /** So many files are written down at once, long before they would burden the memory. */
    private static final int NEWS_MAX = 256;
    /** A complete copy that was asked for takes its time. */
    static final Duration ASK_AGAIN = Duration.ofMinutes(30);

    private final Site site;
    private final long number;
    private final int mark;

    /** When it is due, nanoseconds of the monotonic clock. */
    long dueNanos = NOT_QUEUED;

    boolean running;
    private final List<Request> requests = new ArrayList<>();
    Waiting.Lane lane = Waiting.Lane.COMPACTION;
    private Told told = new Told();

    // Used by the running task only.
    final Unusable unusable = new Unusable();
    int failures;
    /** The newest TXID of the index in the last turn; zero before the first one. */
    Txid known = Txid.ZERO;

    long saidAtNanos;
    boolean everSaid;
    long askedAtNanos;
    boolean everAsked;

    @Nullable
    Instant validateAt;

    /**
     * Knows nothing yet.
     *
     * @param number tells it from all others
     */
    Unit(Site site, long number) {
        this.site = site;
        this.number = number;
        this.mark = markOf(site.name());
    }

    /** A checksum of a database's name: the same after a restart, and evenly spread. */
    static int markOf(String name) {
        CRC32C crc = new CRC32C();
        crc.update(name.getBytes(StandardCharsets.UTF_8));
        return (int) crc.getValue();
    }

    Site site() {
        return site;
    }

    long number() {
        return number;
    }

    int mark() {
        return mark;
    }

    /** Of the jitter, in [0, 1). */
    double share() {
        return Integer.toUnsignedLong(mark) / (double) (1L << 32);
    }

    boolean isQueued() {
        return dueNanos != NOT_QUEUED;
    }

    /** Whether nothing is known about it but when it is due. */
    boolean isIdle(long nowNanos) {
        boolean remembers = validateAt != null
                || failures > 0
                || !unusable.files().isEmpty()
                || (everAsked && nowNanos - askedAtNanos < ASK_AGAIN.toNanos());
        return !remembers && told.isEmpty() && requests.isEmpty();
    }

    /**
     * What was told since the last piece of work.
     *
     * @param located where the replica stood before the files came; null when it was not said
     * @param contradictory whether what was told does not fit together: the replica has to be listed
     */
    record News(@Nullable Txid located, List<Stored> files, boolean contradictory) {
        static final News NONE = new News(null, List.of(), false);

        News {
            files = List.copyOf(files);
        }

        Txid reached() {
            Txid reached = Txid.ZERO;
            for (Stored stored : files) {
                reached = reached.max(stored.max());
            }
            return reached;
        }

        /** When a complete copy came that was asked for. */
        boolean bringsSnapshot() {
            return files.stream().anyMatch(stored -> stored.file().level().equals(Level.SNAPSHOT));
        }
    }

    /** News as they come, one at a time. */
    private static final class Told {
        private @Nullable Txid located;
        private final List<Stored> files = new ArrayList<>();
        private Txid reached = Txid.ZERO;
        private boolean contradictory;

        boolean isEmpty() {
            return located == null && files.isEmpty() && !contradictory;
        }

        void locatedAt(Txid position) {
            if (files.isEmpty()) {
                located = position;
            } else {
                contradictory |= !position.equals(reached);
            }
        }

        void add(Stored stored) {
            contradictory |= !files.isEmpty() && stored.min().isAfter(reached.next());
            files.add(stored);
            reached = reached.max(stored.max());
        }

        void add(News later) {
            if (later.located() != null) {
                locatedAt(later.located());
            }
            later.files().forEach(this::add);
            contradictory |= later.contradictory();
        }

        News news() {
            return isEmpty() ? News.NONE : new News(located, files, contradictory);
        }
    }

    void add(Request request) {
        requests.add(request);
    }

    boolean hasRequests() {
        return !requests.isEmpty();
    }

    boolean requestsSnapshot() {
        return requests.stream().anyMatch(request -> request.kind() == Request.Kind.SNAPSHOT);
    }

    /** Takes the requests that may be carried out. */
    List<Request> takeRequests(boolean maySnapshot) {
        List<Request> taken = requests.stream()
                .filter(request -> maySnapshot || request.kind() != Request.Kind.SNAPSHOT)
                .toList();
        requests.removeAll(taken);
        return taken;
    }

    /** The newest TXID among the news; zero when there are none. */
    Txid told() {
        Txid located = told.located;
        return located == null ? told.reached : told.reached.max(located);
    }

    boolean hasNews() {
        return !told.isEmpty();
    }

    boolean hasFiles() {
        return !told.files.isEmpty();
    }

    void stored(ReplicaFile file, long checksum) {
        told.add(new Stored(file, checksum));
    }

    void located(Txid position) {
        told.locatedAt(position);
    }

    News takeNews() {
        News taken = told.news();
        told = new Told();
        return taken;
    }

    /** Work failed before it wrote the news down. */
    void giveBack(News taken) {
        News later = told.news();
        told = new Told();
        told.add(taken);
        told.add(later);
    }

    /** When the news ask for work; empty when there are no files among them. */
    Optional<Instant> newsDue(Levels levels, Instant now) {
        if (told.files.isEmpty()) {
            return Optional.empty();
        }
        if (told.files.size() >= NEWS_MAX) {
            return Optional.of(now);
        }
        return Optional.of(firstDue(levels, told.files.getFirst().file().createdAt(), now));
    }

    /** When the lowest level is due after a moment. */
    Instant firstDue(Levels levels, Instant moment, Instant now) {
        Duration interval = levels.intervals().isEmpty()
                ? levels.snapshots().interval()
                : levels.intervals().getFirst();
        Duration lag = Schedule.lag(interval, share());
        return Levels.boundaryAfter(moment.isAfter(now) ? now : moment, interval)
                .plus(lag);
    }
}
