package io.loomstream.app.config;

import io.loomstream.engine.replica.s3.S3Settings;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Where the replicas of one configuration are. No two may be in one place, and none inside another one: a writer would
 * delete or overwrite the other's files. Filled by one thread, then read by any.
 */
public final class ReplicaPlaces {
    /** @param line where the file says so */
    record Taken(String database, int line) {}

    private final Map<List<String>, Taken> taken = new HashMap<>();
    /** What lies above a place that is taken. */
    private final Map<List<String>, Taken> above = new HashMap<>();

    /**
     * Takes a place, unless that collides.
     *
     * @return how it collides with another one; empty when it does not
     */
    Optional<String> take(ReplicaConfig replica, Taken owner) {
        Optional<String> collision = collision(replica);
        if (collision.isPresent()) {
            return collision;
        }
        List<String> place = elements(replica);
        taken.put(place, owner);
        for (int length = place.size() - 1; length > 0; length--) {
            above.putIfAbsent(place.subList(0, length), owner);
        }
        return Optional.empty();
    }

    /** How a place would collide with those that are taken; empty when it would not. */
    Optional<String> collision(ReplicaConfig replica) {
        if (taken.isEmpty()) {
            return Optional.empty();
        }
        List<String> place = elements(replica);
        Taken inside = taken.containsKey(place) ? null : above.get(place);
        return inside == null ? around(place) : Optional.of("contains the replica of " + shown(inside));
    }

    /** Whether everything below a place would collide: it is another one, or inside it. */
    Optional<String> around(ReplicaConfig base) {
        return around(elements(base));
    }

    private Optional<String> around(List<String> place) {
        Taken same = taken.get(place);
        if (same != null) {
            return Optional.of("is the place of the replica of " + shown(same));
        }
        for (int length = place.size() - 1; length > 0; length--) {
            Taken outside = taken.get(place.subList(0, length));
            if (outside != null) {
                return Optional.of("is inside the replica of " + shown(outside));
            }
        }
        return Optional.empty();
    }

    /** A place as a text that no other place has. */
    static String text(ReplicaConfig replica) {
        return switch (replica) {
            case ReplicaConfig.Directory(var directory) -> "file " + directory;
            case ReplicaConfig.S3(var settings) ->
                store(settings) + " " + settings.location().path();
        };
    }

    private static String store(S3Settings settings) {
        return "s3 "
                + settings.connection().endpoint().map(ReplicaPlaces::authority).orElse("") + " "
                + settings.location().bucket();
    }

    private static String shown(Taken taken) {
        return taken.database() + " in line " + taken.line();
    }

    /** What tells stores apart first, then one element for each level of the path. */
    private static List<String> elements(ReplicaConfig replica) {
        List<String> elements = new ArrayList<>();
        switch (replica) {
            case ReplicaConfig.Directory(var directory) -> {
                elements.add("file");
                directory.forEach(element -> elements.add(element.toString()));
            }
            case ReplicaConfig.S3(var settings) -> {
                elements.add(store(settings));
                for (String element : settings.location().path().split("/", -1)) {
                    if (!element.isEmpty()) {
                        elements.add(element);
                    }
                }
            }
        }
        return List.copyOf(elements);
    }

    private static String authority(URI endpoint) {
        int usual = "http".equals(endpoint.getScheme()) ? 80 : 443;
        int port = endpoint.getPort() < 0 ? usual : endpoint.getPort();
        return endpoint.getHost().toLowerCase(Locale.ROOT) + ":" + port;
    }
}
