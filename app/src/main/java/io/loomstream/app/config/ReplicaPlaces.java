package io.loomstream.app.config;

import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Where the replicas of one configuration are. No two may be in one place, and none inside another one: a writer would
 * delete or overwrite the other's files.
 */
final class ReplicaPlaces {
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
        List<String> place = elements(replica);
        Taken same = taken.get(place);
        if (same != null) {
            return Optional.of("is the place of the replica of " + shown(same));
        }
        Taken inside = above.get(place);
        if (inside != null) {
            return Optional.of("contains the replica of " + shown(inside));
        }
        for (int length = place.size() - 1; length > 0; length--) {
            Taken outside = taken.get(place.subList(0, length));
            if (outside != null) {
                return Optional.of("is inside the replica of " + shown(outside));
            }
        }
        taken.put(place, owner);
        for (int length = place.size() - 1; length > 0; length--) {
            above.putIfAbsent(place.subList(0, length), owner);
        }
        return Optional.empty();
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
                elements.add("s3 "
                        + settings.connection()
                                .endpoint()
                                .map(ReplicaPlaces::authority)
                                .orElse("") + " " + settings.location().bucket());
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
