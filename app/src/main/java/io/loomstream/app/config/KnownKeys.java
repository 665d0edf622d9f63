package io.loomstream.app.config;

import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The keys of one mapping of the file.
 *
 * @param served the keys this version acts on
 * @param unserved keys that Litestream acts on and this version does not: using one stops the start
 * @param idle keys that are accepted and do nothing, each with what a warning says of it
 */
record KnownKeys(Set<String> served, Set<String> unserved, Map<String, String> idle) {
    private static final Set<String> OF_S3 = words(S3Keys.ALL);

    /** Replica keys that this version does not serve; each may also stand at the top, as a default for all replicas. */
    private static final Set<String> UNSERVED_OF_REPLICAS = words("""
            age account-name account-key sas-token
            host user password key-path concurrent-writes host-key
            webdav-url webdav-username webdav-password
            jwt seed creds nkey username token tls root-cas client-cert client-key max-reconnects reconnect-wait timeout
            """);

    /** May stand at the top as well. */
    private static final Map<String, String> IDLE = Map.of(
            "validation-interval", "does nothing, in Litestream neither",
            "max-sync-ltx-files", "does nothing: an upload brings everything that is there, file by file",
            "auto-recover", "does nothing: Loomstream always goes on from the replica's position by itself");

    private static final Set<String> OF_EVERY_DATABASE = words("""
            monitor-interval checkpoint-interval busy-timeout hold journal-mode min-checkpoint-page-count truncate-page-n
            max-sync-wal-bytes max-wal-bytes max-local-bytes snapshot
            """);

    static final KnownKeys TOP = new KnownKeys(both(words("""
            dbs multi-db state-dir instance addr admin metrics logging
            sync-interval shutdown-sync-timeout shutdown-sync-interval
            levels snapshot validation l0-retention l0-retention-check-interval verify-compaction retention
            """), OF_S3), both(words("""
            mcp-addr exec socket heartbeat-url heartbeat-interval
            """), UNSERVED_OF_REPLICAS), IDLE);

    static final KnownKeys LOGGING = new KnownKeys(words("level type stderr source"), Set.of(), Map.of());

    static final KnownKeys ADMIN =
            new KnownKeys(words("addr token token-file metrics-public tls hosts restore-dir"), Set.of(), Map.of());
    static final KnownKeys ADMIN_TLS = new KnownKeys(words("cert key"), Set.of(), Map.of());
    static final KnownKeys METRICS = new KnownKeys(words("max-projects"), Set.of(), Map.of());

    /** At the top and in a database. */
    static final KnownKeys SNAPSHOT = new KnownKeys(words("interval retention"), Set.of(), Map.of());

    /** An item of {@code levels}. */
    static final KnownKeys LEVEL = new KnownKeys(words("interval"), Set.of(), Map.of());

    static final KnownKeys VALIDATION = new KnownKeys(words("interval"), Set.of(), Map.of());
    static final KnownKeys RETENTION = new KnownKeys(words("enabled"), Set.of(), Map.of());

    static final KnownKeys DATABASE = new KnownKeys(
            both(words("path dir pattern recursive watch replica replicas meta-path meta-dir"), OF_EVERY_DATABASE),
            words("restore-if-db-not-exists"),
            Map.of());

    static final KnownKeys MULTI_DB =
            new KnownKeys(both(words("""
            enabled patterns exclude scan-interval full-scan-interval hot-duration max-hot-databases
            connection-idle-timeout max-connections permits replica-template hot-promotion
            """), OF_EVERY_DATABASE), words("meta-path meta-dir"), Map.of());

    static final KnownKeys PERMITS = new KnownKeys(words("monitor snapshot s3"), Set.of(), Map.of());
    static final KnownKeys HOT_PROMOTION = new KnownKeys(words("recent-modify-threshold"), Set.of(), Map.of());

    /** {@code name} is accepted and does nothing, in Litestream too. */
    private static final Set<String> OF_EVERY_REPLICA = words("type name path url sync-interval");

    static final KnownKeys FILE_REPLICA = new KnownKeys(OF_EVERY_REPLICA, UNSERVED_OF_REPLICAS, idleInFileReplicas());
    static final KnownKeys S3_REPLICA = new KnownKeys(both(OF_EVERY_REPLICA, OF_S3), UNSERVED_OF_REPLICAS, IDLE);

    KnownKeys {
        served = Set.copyOf(served);
        unserved = Set.copyOf(unserved);
        idle = Map.copyOf(idle);
    }

    private static Map<String, String> idleInFileReplicas() {
        Map<String, String> idle = new HashMap<>(IDLE);
        OF_S3.forEach(key -> idle.put(key, "does nothing in a file replica"));
        return idle;
    }

    private static Set<String> words(String text) {
        return Set.of(text.strip().split("\\s+"));
    }

    private static Set<String> both(Set<String> one, Set<String> other) {
        return Stream.concat(one.stream(), other.stream()).collect(Collectors.toUnmodifiableSet());
    }

    boolean contains(String key) {
        return served.contains(key) || unserved.contains(key) || idle.containsKey(key);
    }

    /** The known key that a misspelt one most likely means; empty when none is close. */
    Optional<String> nearest(String key) {
        int farthest = Math.max(2, key.length() / 3);
        return Stream.of(served, unserved, idle.keySet())
                .flatMap(Set::stream)
                .filter(known -> distance(key, known) <= farthest)
                .min(Comparator.<String>comparingInt(known -> distance(key, known))
                        .thenComparing(Comparator.naturalOrder()));
    }

    /** Levenshtein distance: single characters added, dropped or replaced. */
    private static int distance(String a, String b) {
        int[] previous = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            previous[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] current = new int[b.length() + 1];
            current[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                current[j] = Math.min(replaced, 1 + Math.min(previous[j], current[j - 1]));
            }
            previous = current;
        }
        return previous[b.length()];
    }
}
