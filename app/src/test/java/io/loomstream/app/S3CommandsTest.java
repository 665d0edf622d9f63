package io.loomstream.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.testing.s3.S3Server;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands in processes of their own, against a real S3 server and real databases. */
final class S3CommandsTest {
    private static S3Server server;

    @TempDir
    private Path directory;

    private Path database;

    private record Result(int exit, String out, String err) {}

    @BeforeAll
    static void startServer() throws Exception {
        server = S3Server.inMemory();
    }

    @AfterAll
    static void stopServer() throws IOException {
        server.close();
    }

    @BeforeEach
    void makeDatabase() throws Exception {
        database = directory.resolve("app.db");
        sqlite("pragma journal_mode=wal; create table t(x); insert into t values ('row')");
    }

    private String sqlite(String sql) throws Exception {
        Process process = new ProcessBuilder("sqlite3", database.toString(), sql)
                .redirectErrorStream(true)
                .start();
        String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), answer);
        return answer;
    }

    private Result run(Map<String, String> environment, String... words) throws Exception {
        return run(environment, List.of(), words);
    }

    private Result run(Map<String, String> environment, List<String> jvm, String... words) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED"));
        command.addAll(jvm);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        command.addAll(List.of(words));
        Path out = directory.resolve("out");
        Path err = directory.resolve("err");
        var builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("AWS_") || name.startsWith("LITESTREAM_"));
        builder.environment().put("LC_ALL", "C.UTF-8");
        // Nothing of this machine's may answer for the test.
        builder.environment().put("AWS_EC2_METADATA_DISABLED", "true");
        builder.environment().put("AWS_SHARED_CREDENTIALS_FILE", "/none");
        builder.environment().put("AWS_CONFIG_FILE", "/none");
        builder.environment().putAll(environment);
        int exit = builder.start().waitFor();
        return new Result(exit, Files.readString(out), Files.readString(err));
    }

    private static Map<String, String> credentials(String prefix) {
        return Map.of(
                prefix + "_ACCESS_KEY_ID", S3Server.ACCESS_KEY_ID,
                prefix + "_SECRET_ACCESS_KEY", S3Server.SECRET_ACCESS_KEY);
    }

    private static void assertWorked(Result result) {
        assertEquals(0, result.exit(), result.toString());
        assertNoSecret(result);
    }

    private static void assertNoSecret(Result result) {
        assertFalse((result.out() + result.err()).contains(S3Server.SECRET_ACCESS_KEY), result.toString());
    }

    private String restored(Result result, Path copy) throws Exception {
        assertWorked(result);
        database = copy;
        return sqlite("select x from t").strip();
    }

    @Test
    void urlAloneIsEnoughWithLitestreamsVariables() throws Exception {
        String url = "s3://127.0.0.1:" + server.port() + "/" + S3Server.BUCKET + "/by-url";
        Map<String, String> litestreams = credentials("LITESTREAM");
        Path copy = directory.resolve("copy.db");

        assertWorked(run(litestreams, "replicate", "-once", database.toString(), url));

        // The same place, named otherwise.
        String query = "s3://" + S3Server.BUCKET + "/by-url?endpoint=127.0.0.1:" + server.port();
        Result listed = run(credentials("AWS"), "ltx", "-level", "all", query);
        assertWorked(listed);
        assertTrue(listed.out().contains("0000000000000001"), listed.out());
        assertEquals("row", restored(run(credentials("AWS"), "restore", "-o", copy.toString(), url), copy));
    }

    @Test
    void configurationIsServedWithKeysInItAndLoggedWithoutThem() throws Exception {
        Path config = Files.writeString(directory.resolve("loomstream.yml"), """
                endpoint: %s
                bucket: %s
                access-key-id: %s
                secret-access-key: %s
                dbs:
                  - path: %s
                    replica: {type: s3, path: by-config, http-client: apache5}
                """.formatted(
                server.endpoint(), S3Server.BUCKET, S3Server.ACCESS_KEY_ID, S3Server.SECRET_ACCESS_KEY, database));
        Path copy = directory.resolve("copy.db");

        Result replicated = run(Map.of(), "replicate", "-once", "-config", config.toString());
        assertWorked(replicated);
        String log = replicated.out();
        assertTrue(log.contains("replica=s3://" + S3Server.BUCKET + "/by-config"), log);
        assertTrue(log.contains("endpoint=" + server.endpoint()), log);
        assertTrue(log.contains("http-client=apache5") && log.contains("part-size=5242880"), log);
        assertTrue(log.contains("credentials=\"Keys[loca********, ********]\""), log);

        Result databases = run(Map.of(), "databases", "-json", "-config", config.toString());
        assertWorked(databases);
        assertTrue(databases.out().contains("\"replica\": \"s3\""), databases.out());
        assertFalse(databases.out().contains(S3Server.BUCKET), databases.out());
        Result restore =
                run(Map.of(), "restore", "-config", config.toString(), "-o", copy.toString(), database.toString());
        assertEquals("row", restored(restore, copy));
    }

    @Test
    void failuresNameThePlaceAndNoSecret() throws Exception {
        Map<String, String> wrong =
                Map.of("AWS_ACCESS_KEY_ID", "somebody", "AWS_SECRET_ACCESS_KEY", S3Server.SECRET_ACCESS_KEY + "-x");

        Result refused = run(wrong, "ltx", "s3://" + S3Server.BUCKET + "/x?endpoint=127.0.0.1:" + server.port());
        assertEquals(1, refused.exit());
        assertTrue(refused.err().contains("s3://" + S3Server.BUCKET + "/x"), refused.err());
        assertNoSecret(refused);

        Result user = run(wrong, "ltx", "s3://id:" + S3Server.SECRET_ACCESS_KEY + "@bucket/x");
        assertEquals(1, user.exit());
        assertTrue(user.err().contains("replica URL s3://********@bucket/x"), user.err());
        assertNoSecret(user);
    }

    @Test
    void dryRunShowsTheUrlWithoutTheCustomersKey() throws Exception {
        String url = "s3://" + S3Server.BUCKET + "/dry?endpoint=127.0.0.1:" + server.port();
        assertWorked(run(credentials("AWS"), "replicate", "-once", database.toString(), url));

        Result plan = run(
                credentials("AWS"),
                "restore",
                "-dry-run",
                "-o",
                directory.resolve("copy.db").toString(),
                url + "&password=canary-password");

        assertWorked(plan);
        assertTrue(plan.out().contains("source: " + url + "&password=********"), plan.out());
        assertFalse((plan.out() + plan.err()).contains("canary-password"), plan.toString());
    }

    @Test
    void nothingOfS3IsLoadedWithoutAnS3Replica() throws Exception {
        Path config = Files.writeString(
                directory.resolve("loomstream.yml"),
                "region: eu-west-1\ndbs:\n  - path: " + database + "\n    replica: {path: "
                        + directory.resolve("replica") + "}\n");

        Result result = run(Map.of(), List.of("-Xlog:class+load"), "replicate", "-once", "-config", config.toString());

        assertEquals(0, result.exit(), result.err());
        List<String> loaded = result.out()
                .lines()
                .filter(line -> line.contains(" io.loomstream.engine.replica.s3.")
                        || line.contains(" software.amazon.")
                        || line.contains(" io.loomstream.app.S3Clients"))
                .toList();
        assertEquals(List.of(), loaded);
        assertTrue(result.out().contains(" io.loomstream.engine.replica.FileReplicaClient"), "classes are listed");
    }
}
