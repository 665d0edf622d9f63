package io.loomstream.engine.fleet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.replica.FileRootStore;
import io.loomstream.engine.sync.DatabaseOptions;
import io.loomstream.engine.sync.DatabaseSpec;
import io.loomstream.engine.testing.AppProcess;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import javax.management.JMException;
import javax.management.ObjectName;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A cold database is a row in a table and nothing else: with five times as many, the heap of a whole running server holds
 * larger arrays, yet no more objects.
 */
class ColdFootprintTest {
    private static final int FEW = 400;
    private static final int MANY = 2000;
    /** Far below one object per database that is added, far above what a server at rest has more or less of at a time. */
    private static final int SLACK = 400;

    @TempDir
    Path directory;

    /** The heap after a full collection; as text, so that the first one adds no object per class to the second. */
    private static String histogram() throws JMException {
        return (String) ManagementFactory.getPlatformMBeanServer()
                .invoke(
                        new ObjectName("com.sun.management:type=DiagnosticCommand"),
                        "gcClassHistogram",
                        new Object[] {new String[0]},
                        new String[] {String[].class.getName()});
    }

    /** Instances by class. */
    private static Map<String, Long> instances(String text) {
        Map<String, Long> instances = new HashMap<>();
        for (String line : text.lines().toList()) {
            String[] columns = line.strip().split("\\s+", -1);
            if (columns.length >= 4 && columns[0].endsWith(":")) {
                instances.merge(columns[3], Long.parseLong(columns[1]), Long::sum);
            }
        }
        assertTrue(instances.containsKey("java.lang.String"), text);
        return instances;
    }

    private Replication replicate(Path data) {
        FleetOptions options = new FleetOptions(
                Selection.ofPatterns(List.of(data + "/**/*.db"), List.of()),
                (path, pattern) -> new DatabaseSpec(
                        DatabaseOptions.defaults(path).withMonitorInterval(Duration.ofMillis(50)),
                        new FileReplicaClient(
                                directory.resolve("replicas").resolve(data.relativize(path)), FileAccess.PRIVATE)),
                Duration.ofMillis(200),
                Duration.ofSeconds(30),
                Duration.ofMillis(300),
                20,
                Duration.ZERO);
        Workload.State state = new Workload.State(
                directory.resolve("state"), "node-1", Optional.of(new FileRootStore(directory.resolve("replicas"))));
        return Replication.start(
                new Workload(List.of(), List.of(new Workload.Section(options, Optional.of(state)))),
                ReplicationOptions.defaults());
    }

    /** In folders of 100, copies of one database; those up to {@code from} are there already. */
    private static void make(Path template, Path data, int from, int to) throws IOException {
        for (int i = from; i < to; i++) {
            Path folder = Files.createDirectories(data.resolve("folder" + i / 100));
            Files.copy(template, folder.resolve("tenant" + i + ".db"));
        }
    }

    private static String histogramWhenCold(Replication replication, int databases) throws JMException {
        Awaitility.await().atMost(Duration.ofMinutes(4)).until(() -> {
            PathTable table = replication.fleets().getFirst().table();
            return table.count(Tier.COLD_CLEAN) == databases
                    && replication.gates().uploads().inUse() == 0;
        });
        return histogram();
    }

    private static Map<String, Long> grown(Map<String, Long> few, Map<String, Long> many) {
        Map<String, Long> grown = new TreeMap<>();
        many.forEach((type, count) -> {
            long more = count - few.getOrDefault(type, 0L);
            if (more > SLACK) {
                grown.put(type, more);
            }
        });
        return grown;
    }

    @Test
    void noObjectCountGrowsWithTheNumberOfColdDatabases() throws Exception {
        Path template = directory.resolve("template.db");
        try (AppProcess app = AppProcess.start()) {
            app.open("a", template)
                    .exec("a", "pragma journal_mode=wal")
                    .exec("a", "create table t(x)")
                    .close("a");
        }
        Path data = Files.createDirectories(directory.resolve("data"));
        make(template, data, 0, FEW);
        Replication replication = replicate(data);
        try {
            String first = histogramWhenCold(replication, FEW);
            make(template, data, FEW, MANY);
            histogramWhenCold(replication, MANY);
            // What a pass of the scanner has in hand at this moment is gone at another; what grew is there every time.
            Awaitility.await()
                    .pollInterval(Duration.ofMillis(100))
                    .atMost(Duration.ofSeconds(30))
                    .untilAsserted(() -> {
                        String second = histogram();
                        assertEquals(
                                Map.of(),
                                grown(instances(first), instances(second)),
                                "classes with more instances after " + (MANY - FEW) + " more databases");
                    });
        } finally {
            replication.stop(Duration.ofSeconds(10), Duration.ofMillis(50));
        }
    }
}
