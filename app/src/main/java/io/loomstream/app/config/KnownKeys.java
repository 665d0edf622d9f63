package io.loomstream.app.config;

import java.util.Comparator;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The keys of one mapping of the file.
 *
 * @param served the keys this version acts on
 * @param unserved keys that Litestream acts on and this version does not: using one stops the start
 */
record KnownKeys(Set<String> served, Set<String> unserved) {
    /** Replica keys that this version does not serve; each may also stand at the top, as a default for all replicas. */
    private static final Set<String> UNSERVED_OF_REPLICAS = words("""
            validation-interval max-sync-ltx-files auto-recover age part-size concurrency
            access-key-id secret-access-key region bucket endpoint force-path-style sign-payload require-content-md5
            skip-verify storage-class sse-customer-algorithm sse-customer-key sse-customer-key-path sse-kms-key-id
            account-name account-key sas-token
            host user password key-path concurrent-writes host-key
            webdav-url webdav-username webdav-password
            jwt seed creds nkey username token tls root-cas client-cert client-key max-reconnects reconnect-wait timeout
            """);

    static final KnownKeys TOP = new KnownKeys(
            words("dbs logging sync-interval shutdown-sync-timeout shutdown-sync-interval"),
            both(words("""
            addr mcp-addr exec socket levels snapshot validation l0-retention l0-retention-check-interval
            verify-compaction retention heartbeat-url heartbeat-interval
            """), UNSERVED_OF_REPLICAS));

    static final KnownKeys LOGGING = new KnownKeys(words("level type stderr source"), Set.of());

    static final KnownKeys DATABASE = new KnownKeys(
            words("""
            path replica replicas meta-path monitor-interval checkpoint-interval busy-timeout hold journal-mode
            min-checkpoint-page-count truncate-page-n max-sync-wal-bytes
            """), words("dir pattern recursive watch meta-dir snapshot restore-if-db-not-exists max-wal-bytes"));

    /** {@code name} is accepted and does nothing, in Litestream too. */
    static final KnownKeys REPLICA = new KnownKeys(words("type name path url sync-interval"), UNSERVED_OF_REPLICAS);

    private static Set<String> words(String text) {
        return Set.of(text.strip().split("\\s+"));
    }

    private static Set<String> both(Set<String> one, Set<String> other) {
        return Stream.concat(one.stream(), other.stream()).collect(Collectors.toUnmodifiableSet());
    }

    boolean contains(String key) {
        return served.contains(key) || unserved.contains(key);
    }

    /** The known key that a misspelt one most likely means; empty when none is close. */
    Optional<String> nearest(String key) {
        int farthest = Math.max(2, key.length() / 3);
        return Stream.concat(served.stream(), unserved.stream())
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
