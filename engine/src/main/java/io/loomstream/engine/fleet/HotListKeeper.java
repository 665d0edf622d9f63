package io.loomstream.engine.fleet;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.fleet.HotList.Owner;
import io.loomstream.engine.replica.RootStore;
import io.loomstream.engine.replica.RootStore.Stored;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the hot list on the replicas' root, and finds out from it whether another process replicates under this instance's
 * name. Written only when other databases are hot than before, so that a fleet at rest costs no request.
 *
 * <p>For one thread.
 */
final class HotListKeeper {
    private static final Logger log = LoggerFactory.getLogger(HotListKeeper.class);

    private final RootStore root;
    private final Owner owner;
    private final Time time;
    private final String name;
    private Optional<String> version = Optional.empty();
    private boolean tookOver;
    private @Nullable Set<String> written;

    HotListKeeper(RootStore root, Owner owner, Time time) {
        this.root = root;
        this.owner = owner;
        this.time = time;
        this.name = name(owner.instance());
    }

    /** The list's name below the root. */
    static String name(String instance) {
        return instance + "/hot-list.json";
    }

    /**
     * Reads what the last process of this instance left.
     *
     * @return the paths that were hot; none when there is no list or it cannot be read
     */
    List<String> takeOver() {
        Optional<Stored> stored = root.read(name);
        version = stored.map(Stored::version);
        tookOver = true;
        if (stored.isEmpty()) {
            return List.of();
        }
        try {
            return HotList.decode(stored.get().bytes(), root.describe() + "/" + name)
                    .paths();
        } catch (CorruptDataException damaged) {
            log.warn("the hot list is passed over: {}", damaged.getMessage());
            return List.of();
        }
    }

    /**
     * Writes the list if it says anything new.
     *
     * @return whether it was written
     * @throws ConflictException naming the other owner, when another process wrote it since
     */
    boolean keep(List<String> hot) {
        Set<String> members = Set.copyOf(hot);
        if (members.equals(written)) {
            return false;
        }
        if (!tookOver) {
            takeOver(); // the root was out of reach at the start: what the last process left is no conflict
        }
        HotList list = new HotList(owner, time.now(), hot);
        byte[] bytes = list.encode();
        try {
            version = Optional.of(root.write(name, bytes, version));
        } catch (ConflictException changed) {
            Optional<Stored> now = root.read(name);
            if (now.isPresent() && isOurs(now.get().bytes())) {
                version = now.map(Stored::version); // an answer that was lost
                version = Optional.of(root.write(name, bytes, version));
            } else {
                throw new ConflictException(
                        "another process replicates as this instance: " + ownerOf(now) + "; this is " + owner, changed);
            }
        }
        written = members;
        return true;
    }

    private boolean isOurs(byte[] bytes) {
        try {
            return HotList.decode(bytes, name).owner().equals(owner);
        } catch (CorruptDataException damaged) {
            return false;
        }
    }

    private String ownerOf(Optional<Stored> stored) {
        try {
            return stored.isEmpty()
                    ? "unknown, the list is gone"
                    : HotList.decode(stored.get().bytes(), name).owner().toString();
        } catch (CorruptDataException damaged) {
            return "unknown, the list is damaged";
        }
    }
}
