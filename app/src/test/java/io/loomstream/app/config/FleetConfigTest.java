package io.loomstream.app.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.fleet.FleetOptions;
import io.loomstream.engine.sync.HoldMode;
import io.loomstream.engine.sync.JournalPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Sections whose databases are found. */
final class FleetConfigTest {
    private static final String TENANT = "/data/acme/databases/main/branches/dev/tenants/t 1.db";

    @TempDir
    private Path directory;

    private ConfigHarness harness;

    @BeforeEach
    void makeHarness() {
        harness = new ConfigHarness(directory);
    }

    private FleetConfig only(String yaml) throws IOException {
        List<FleetConfig> fleets = harness.load(yaml, true).config().fleets();
        assertEquals(1, fleets.size());
        return fleets.getFirst();
    }

    private static String place(FleetConfig fleet, String path) {
        return fleet.database(Path.of(path)).orElseThrow().replica().place();
    }

    private static String meta(FleetConfig fleet, String path) {
        return fleet.database(Path.of(path)).orElseThrow().options().metaPath().toString();
    }

    @Test
    void everyKeyOfMultiDbReachesItsOption() throws IOException {
        ServerConfig config = harness.load("""
                state-dir: ~/state
                instance: node-1
                multi-db:
                  patterns: ["/data/*/databases/*/branches/*/tenants/*.db", "~/apps/**/*.sqlite"]
                  exclude: ["**/tmp/**"]
                  scan-interval: 10s
                  full-scan-interval: 1m
                  hot-duration: 20s
                  max-hot-databases: 7
                  connection-idle-timeout: 4s
                  max-connections: 9
                  permits: {monitor: 1, snapshot: 2, s3: 3}
                  monitor-interval: 500ms
                  busy-timeout: 3s
                  min-checkpoint-page-count: 11
                  journal-mode: require
                  hold: none
                  replica-template:
                    type: s3
                    bucket: my-backups
                    region: eu-central-1
                    path: "all/{{project}}/{{database}}/{{branch}}/{{tenant}}"
                    sync-interval: 2s
                  hot-promotion: {recent-modify-threshold: 6m}
                """, true).config();

        MultiDbConfig multiDb = config.multiDb().orElseThrow();
        FleetConfig fleet = multiDb.fleet();
        assertEquals(List.of(fleet), config.fleets());
        assertEquals(
                new FleetPace(
                        Duration.ofSeconds(10),
                        Duration.ofMinutes(1),
                        Duration.ofSeconds(20),
                        7,
                        Duration.ofMinutes(6)),
                fleet.pace());
        assertEquals(Duration.ofSeconds(4), multiDb.connectionIdleTimeout());
        assertEquals(9, multiDb.maxConnections());
        assertEquals(new MultiDbConfig.Permits(1, 2, 3), multiDb.permits());
        assertEquals(Optional.of(Path.of("/home/user/state")), multiDb.stateDirectory());
        assertEquals(Optional.of("node-1"), multiDb.instance());

        DatabaseConfig database = config.database(Path.of(TENANT)).orElseThrow();
        assertEquals(
                "s3://my-backups/all/acme/main/dev/t%201", database.replica().place());
        assertEquals(Path.of(TENANT), database.options().path());
        assertEquals(
                "/data/acme/databases/main/branches/dev/tenants/.t 1.db-litestream",
                database.options().metaPath().toString());
        assertEquals(Duration.ofMillis(500), database.options().monitorInterval());
        assertEquals(Duration.ofSeconds(2), database.options().syncInterval());
        assertEquals(Duration.ofSeconds(3), database.options().busyTimeout());
        assertEquals(11, database.options().minCheckpointPages());
        assertEquals(JournalPolicy.REQUIRE, database.options().journalPolicy());
        assertEquals(HoldMode.NONE, database.options().hold());
        assertEquals("s3://my-backups/all/x/default/main/app", place(fleet, "/home/user/apps/x/app.sqlite"));
        assertEquals(Optional.empty(), config.database(Path.of("/home/user/apps/tmp/x/app.sqlite")));
        assertEquals(Optional.empty(), config.database(Path.of("/home/user/apps/x/app.sqlite-wal")));
        assertEquals("s3://my-backups/all", fleet.naming().base().place());
    }

    @Test
    void keysThatAreNotGivenHaveTheDocumentedDefaults() throws IOException {
        ServerConfig config = harness.load("""
                multi-db:
                  patterns: /data/*.db
                  replica-template: {path: "backups/{{tenant}}"}
                """, true).config();

        MultiDbConfig multiDb = config.multiDb().orElseThrow();
        assertEquals(
                new FleetPace(
                        Duration.ofSeconds(15),
                        Duration.ofMinutes(5),
                        Duration.ofSeconds(15),
                        1000,
                        Duration.ofMinutes(5)),
                multiDb.fleet().pace());
        assertEquals(Duration.ofSeconds(5), multiDb.connectionIdleTimeout());
        assertEquals(1000, multiDb.maxConnections());
        assertEquals(new MultiDbConfig.Permits(100, 50, 200), multiDb.permits());
        assertEquals(Optional.empty(), multiDb.stateDirectory());
        assertEquals("/work-dir/backups/a", place(multiDb.fleet(), "/data/a.db"));
        assertEquals("/work-dir/backups", multiDb.fleet().naming().base().place());
    }

    @Test
    void aSectionThatIsNotEnabledIsNotThere() throws IOException {
        ServerConfig config = harness.load("multi-db: {enabled: no}").config();

        assertEquals(Optional.empty(), config.multiDb());
        assertEquals(List.of(), config.fleets());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            patterns: []                                 | multi-db.patterns: must be a list of at least one pattern of absolute paths at f.yml:2
            patterns: ["data/*.db"]                      | multi-db.patterns: pattern "data/*.db": it must begin with "/" (got data/*.db) at f.yml:2
            exclude: [tmp]                               | multi-db.exclude: pattern "tmp": it must begin with "/" or "**/" at f.yml:4
            scan-interval: 0                             | multi-db.scan-interval: scan interval must be greater than 0 (got 0s) at f.yml:4
            hot-duration: -1s                            | multi-db.hot-duration: must be >= 0 (got -1s) at f.yml:4
            max-hot-databases: 0                         | multi-db.max-hot-databases: must be greater than 0 (got 0) at f.yml:4
            connection-idle-timeout: 0                   | multi-db.connection-idle-timeout: connection idle timeout must be greater than 0 (got 0s) at f.yml:4
            max-connections: none                        | multi-db.max-connections: must be a whole number (got none) at f.yml:4
            permits: {monitor: 0}                        | multi-db.permits.monitor: must be greater than 0 (got 0) at f.yml:4
            permits: 5                                   | multi-db.permits: must be a mapping of keys to values (got 5) at f.yml:4
            hot-promotion: {recent-modify-threshold: x}  | multi-db.hot-promotion.recent-modify-threshold: must be a duration such as 500ms, 10s or 1h30m (units: ns, us, ms, s, m, h) (got x) at f.yml:4
            monitor-interval: 0                          | multi-db.monitor-interval: monitor interval must be greater than 0 (got 0s) at f.yml:4
            max-wal-bytes: 1                             | multi-db.max-wal-bytes: must be 0 (no limit) or at least 1MiB (got 1 bytes) at f.yml:4
            replica-template: {}                         | multi-db.replica-template: file replica path required at f.yml:3
            replica-template: {path: /b}                 | multi-db.replica-template.path: replica path template "/b": it has no variable: all databases would have one replica path at f.yml:3
            replica-template: {path: "/b/{{x}}"}         | multi-db.replica-template.path: replica path template "/b/{{x}}": {{x}} is unknown; there are project, database, branch, tenant, filename, relpath, dir at f.yml:3
            replica-template: {type: gs, path: "/{{dir}}"} | multi-db.replica-template: this version of Loomstream does not serve replicas of type gs yet, only file and s3 at f.yml:3
            """)
    void errorsNameKeyLineValueAndWhatIsAllowed(String line, String error) {
        String patterns = line.startsWith("patterns") ? line : "patterns: [/data/*.db]";
        String template = line.startsWith("replica-template") ? line : "replica-template: {path: \"/b/{{tenant}}\"}";
        String more = line.equals(patterns) || line.equals(template) ? "" : "  " + line + "\n";

        assertEquals(error, harness.errorOf("multi-db:\n  " + patterns + "\n  " + template + "\n" + more));
    }

    @Test
    void anInstanceIsANameOfADirectory() {
        assertEquals(
                "instance: must be 1 to 128 letters, digits, \".\", \"_\" and \"-\", the first of them no \".\""
                        + " (got ../x) at f.yml:1",
                harness.errorOf("instance: ../x\n"));
    }

    @Test
    void aFleetNeedsATemplate() {
        assertEquals(
                "multi-db: must specify 'replica-template' at f.yml:2",
                harness.errorOf("multi-db:\n  patterns: [/x]\n"));
    }

    @Test
    void unknownKeysOfTheSectionAreWarnedOf() throws IOException {
        List<String> warnings =
                harness.load("""
                multi-db:
                  patterns: [/data/*.db]
                  scan-intervall: 1s
                  permits: {monitors: 3}
                  replica-template: {path: "/b/{{tenant}}", sync-intervall: 1s}
                """).warnings().stream().map(harness::shortened).toList();

        assertEquals(
                List.of(
                        "multi-db.scan-intervall: unknown key; did you mean \"scan-interval\"? at f.yml:3",
                        "multi-db.replica-template.sync-intervall: unknown key; did you mean \"sync-interval\"?"
                                + " at f.yml:5",
                        "multi-db.permits.monitors: unknown key; did you mean \"monitor\"? at f.yml:4"),
                warnings);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            replica: {path: /b}                                | /b/x/a b.db
            replica: {url: "s3://bucket/all"}                  | s3://bucket/all/x/a b.db
            replica: {url: "s3://bucket"}                      | s3://bucket/x/a b.db
            replica: {type: s3, bucket: bucket, path: /r//s/}  | s3://bucket/r/s/x/a b.db
            """)
    void databasesOfADirectoryAreBelowItsReplica(String replica, String place) throws IOException {
        FleetConfig fleet = only("""
                dbs:
                  - dir: /data
                    pattern: "*.db"
                    recursive: true
                    watch: true
                    monitor-interval: 200ms
                """ + "    " + replica + "\n");

        assertEquals(place, place(fleet, "/data/x/a b.db"));
        assertEquals("/data/x/.a b.db-litestream", meta(fleet, "/data/x/a b.db"));
        assertEquals(Duration.ofMillis(200), fleet.pace().scanInterval());
        assertEquals(FleetOptions.DEFAULT_HOT_MAX, fleet.pace().hotMax());
        assertTrue(fleet.watch());
        assertEquals(Optional.empty(), fleet.database(Path.of("/data/x/a.sqlite")));
        assertEquals(Optional.empty(), fleet.database(Path.of("/data/.a.db-litestream/x.db")));
    }

    /** Litestream puts a path with a slash before it into its keys as it is. */
    @Test
    void aLeadingSlashStaysInTheKeysOfADirectory() throws IOException {
        FleetConfig fleet = only("""
                dbs:
                  - dir: /data
                    pattern: "*.db"
                    replica: {type: s3, bucket: bucket, path: /r}
                """);

        ReplicaConfig.S3 replica = (ReplicaConfig.S3)
                fleet.database(Path.of("/data/a.db")).orElseThrow().replica();
        assertEquals("/r/a.db", replica.settings().location().written());
    }

    @ParameterizedTest
    @CsvSource({
        "meta-path: /m, /m/x/.a.db-litestream",
        "meta-dir: /m, /m/x/a.db-litestream",
    })
    void localStateOfADirectoryIsWhereLitestreamHasIt(String line, String meta) throws IOException {
        FleetConfig fleet = only("""
                dbs:
                  - dir: /data
                    pattern: "*.db"
                    recursive: true
                    replica: {path: /b}
                """ + "    " + line + "\n");

        assertEquals(meta, meta(fleet, "/data/x/a.db"));
    }

    @Test
    void whatIsWatchedComesFirst() throws IOException {
        ServerConfig config = harness.load("""
                dbs:
                  - {dir: /data/a, pattern: "*.db", replica: {path: /b/a}}
                  - {dir: /data/b, pattern: "*.db", watch: true, replica: {path: /b/b}}
                multi-db:
                  patterns: ["/data/**/*.db"]
                  replica-template: {path: "/b/m/{{relpath}}"}
                """).config();

        assertEquals(
                List.of("dbs[/data/b]", "multi-db", "dbs[/data/a]"),
                config.fleets().stream().map(FleetConfig::name).toList());
        assertEquals(
                "/b/b/x.db",
                config.database(Path.of("/data/b/x.db")).orElseThrow().replica().place());
        assertEquals(
                "/b/m/a/x.db",
                config.database(Path.of("/data/a/x.db")).orElseThrow().replica().place());
        assertEquals(
                Optional.of("dbs[/data/b]"),
                config.before(config.fleets().get(1), Path.of("/data/b/x.db")).map(FleetConfig::name));
    }

    @Test
    void aNamedDatabaseWinsOverAFleetThatSelectsIt() throws IOException {
        ServerConfig config = harness.load("""
                dbs:
                  - {path: /data/a.db, replica: {path: /own}}
                  - {dir: /data, pattern: "*.db", replica: {path: /b}}
                """).config();

        assertEquals(
                "/own",
                config.database(Path.of("/data/a.db")).orElseThrow().replica().place());
    }

    @Test
    void aFleetInsideOfANamedDatabasesReplicaIsRefused() {
        assertEquals(
                "dbs[/data]: the place of its replicas is inside the replica of dbs[/x.db] in line 3 (got /b/all)"
                        + " at f.yml:2",
                harness.errorOf("""
                dbs:
                  - {dir: /data, pattern: "*.db", replica: {path: /b/all}}
                  - {path: /x.db, replica: {path: /b}}
                """));
    }

    @Test
    void oneDatabaseThatWouldMeetANamedReplicaIsRefusedAlone() throws IOException {
        FleetConfig fleet = harness.load("""
                dbs:
                  - {dir: /data, pattern: "*.db", replica: {path: /b}}
                  - {path: /x.db, replica: {path: /b/a.db}}
                """).config().fleets().getFirst();

        assertEquals("/b/c.db", place(fleet, "/data/c.db"));
        Exception refused = assertThrows(IllegalArgumentException.class, () -> fleet.database(Path.of("/data/a.db")));
        assertEquals(
                "its replica path /b/a.db is the place of the replica of dbs[/x.db] in line 3", refused.getMessage());
    }

    @Test
    void theServersOwnDirectoryIsNobodysReplica() throws IOException {
        FleetConfig fleet = only("""
                multi-db:
                  patterns: ["/data/*/*.db"]
                  replica-template: {path: "/b/{{project}}/{{tenant}}"}
                """);

        assertEquals("/b/_x/a", place(fleet, "/data/_x/a.db"));
        assertThrows(IllegalArgumentException.class, () -> fleet.database(Path.of("/data/_loomstream/a.db")));
    }

    @Test
    void aDirectoryIsNotEnteredThroughALink() throws IOException {
        Path data = Files.createDirectories(directory.resolve("data/real"));
        Files.writeString(data.resolve("a.db"), "");
        Files.createSymbolicLink(directory.resolve("data/link"), data);
        FleetConfig fleet = only("""
                dbs:
                  - {dir: DIR/data, pattern: "*.db", recursive: true, replica: {path: /b}}
                """.replace("DIR", directory.toString()));

        assertTrue(fleet.reaches(data.resolve("a.db")));
        assertEquals(false, fleet.reaches(directory.resolve("data/link/a.db")));
        assertTrue(fleet.reaches(directory.resolve("data/gone/a.db")), "what does not exist may come back");
    }
}
