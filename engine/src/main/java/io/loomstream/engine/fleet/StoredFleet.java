package io.loomstream.engine.fleet;

import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.fleet.PathMap.Entry;
import io.loomstream.engine.fleet.PathMap.Summary;
import io.loomstream.engine.replica.RootStore;
import io.loomstream.engine.replica.RootStore.Stored;
import java.io.ByteArrayInputStream;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a server left on the replicas' root about its fleet, for a host that takes its place: where every database's replica
 * is, and which were hot. In memory are the compressed map and the hot ones.
 */
public final class StoredFleet {
    private static final Logger log = LoggerFactory.getLogger(StoredFleet.class);

    private final byte[] map;
    private final String source;
    private final Summary summary;
    private final List<Entry> hot;

    private StoredFleet(byte[] map, String source, Summary summary, List<Entry> hot) {
        this.map = map;
        this.source = source;
        this.summary = summary;
        this.hot = hot;
    }

    /**
     * Reads what an instance left.
     *
     * @return empty when it left no path map
     * @throws CorruptDataException when the map is damaged: half a fleet must not be taken for the whole of it
     */
    public static Optional<StoredFleet> of(RootStore root, String instance) {
        String name = PathMapKeeper.name(instance);
        Optional<Stored> stored = root.read(name);
        if (stored.isEmpty()) {
            return Optional.empty();
        }
        byte[] bytes = stored.get().bytes();
        String source = root.describe() + "/" + name;
        Map<String, Integer> ranks = ranks(root, instance);
        Map<Integer, Entry> found = new HashMap<>();
        Summary summary = read(bytes, source, entry -> {
            Integer rank = ranks.get(entry.path());
            if (rank != null) {
                found.put(rank, entry);
            }
        });
        Map<String, Entry> hot = new LinkedHashMap<>();
        ranks.forEach((path, rank) -> {
            Entry entry = found.get(rank);
            if (entry != null) {
                hot.put(path, entry);
            }
        });
        return Optional.of(new StoredFleet(bytes, source, summary, List.copyOf(hot.values())));
    }

    /** The hot paths in the list's order; none when there is no list: it says what is wanted first, not what there is. */
    private static Map<String, Integer> ranks(RootStore root, String instance) {
        Map<String, Integer> ranks = new LinkedHashMap<>();
        String name = HotListKeeper.name(instance);
        try {
            root.read(name)
                    .ifPresent(stored -> HotList.decode(stored.bytes(), root.describe() + "/" + name)
                            .paths()
                            .forEach(path -> ranks.putIfAbsent(path, ranks.size())));
        } catch (CorruptDataException damaged) {
            log.warn("the hot list is passed over: {}", damaged.getMessage());
        }
        return ranks;
    }

    /** How many databases there are. */
    public long databases() {
        return summary.databases();
    }

    /** Those that were hot, the most recently written first. */
    public List<Entry> hot() {
        return hot;
    }

    /** Every database, the hot ones included. */
    public void forEach(Consumer<Entry> consumer) {
        read(map, source, consumer);
    }

    private static Summary read(byte[] map, String source, Consumer<Entry> consumer) {
        return PathMap.read(new ByteArrayInputStream(map), source, consumer);
    }
}
