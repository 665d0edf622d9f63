package io.loomstream.engine.follow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Real readers, with connections that stay and with new ones, query a database while its follower is killed with SIGKILL
 * at random moments and started again. None may ever see a state that is not whole, or an older one than before.
 */
class FollowUnderKillIT {
    private static final int KILLS = 12;

    @TempDir
    Path directory;

    @Test
    void readersNeverSeeATornOrAnOlderState() throws Exception {
        long seed = Long.getLong("loomstream.seed", System.nanoTime());
        System.out.println("loomstream.seed=" + seed);
        Random random = new Random(seed);
        Path output = Files.createDirectory(directory.resolve("home")).resolve("copy.db");
        Path script = directory.resolve("reader.py");
        try (InputStream source = FollowUnderKillIT.class.getResourceAsStream("reader.py")) {
            Files.write(script, source.readAllBytes());
        }
        List<Process> readers = new ArrayList<>();
        Process follower = null;
        try (Upstream upstream = new Upstream(directory)) {
            upstream.commit();
            follower = follower(output);
            awaitTxid(output, new Txid(1));
            for (String kind : List.of("stays", "stays", "fresh")) {
                readers.add(new ProcessBuilder("python3", script.toString(), output.toString(), kind)
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start());
            }
            for (int kill = 0; kill < KILLS; kill++) {
                for (int commits = 1 + random.nextInt(8); commits > 0; commits--) {
                    change(upstream, random);
                }
                if (random.nextBoolean()) {
                    awaitTxid(output, upstream.newest());
                    change(upstream, random);
                }
                // Without waiting: wherever in a step it is.
                follower.destroyForcibly().waitFor();
                if (random.nextInt(3) == 0) {
                    int newest = (int) upstream.newest().value();
                    upstream.store(new Level(1), 1, newest);
                    for (int txid = 1; txid < newest; txid++) {
                        upstream.delete(Level.L0, txid, txid);
                    }
                }
                follower = follower(output);
            }
            awaitTxid(output, upstream.newest());
            follower.destroy();
            follower.waitFor();
            for (Process reader : readers) {
                reader.outputWriter().close();
                String answer = new String(reader.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
                assertTrue(answer.startsWith("ok "), answer + ", seed " + seed);
                System.out.println("reader: " + answer);
                assertTrue(Integer.parseInt(answer.split(" ", -1)[2]) > KILLS, answer);
            }
            FollowSetup.assertHolds(output, upstream.image(upstream.newest().value()));
        } finally {
            readers.forEach(Process::destroyForcibly);
            if (follower != null) {
                follower.destroyForcibly();
            }
        }
        assertEquals("ok", FollowSetup.sqlite(output, "pragma integrity_check"));
    }

    private static void change(Upstream upstream, Random random) throws IOException, InterruptedException {
        switch (random.nextInt(4)) {
            case 0 -> upstream.commit("delete from t where id % 3 = 0 and id > 3", "vacuum");
            case 1 ->
                upstream.commit("insert into t(n, text) select 0, hex(randomblob(1500)) from"
                        + " (with recursive c(i) as (select 1 union all select i + 1 from c where i < 80)"
                        + " select i from c)");
            default -> upstream.commit();
        }
    }

    private Process follower(Path output) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        FollowerMain.class.getName(),
                        directory.resolve("replica").toString(),
                        output.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        directory.resolve("follower.log").toFile()))
                .start();
    }

    private void awaitTxid(Path output, Txid txid) {
        Path sidecar = output.resolveSibling(output.getFileName() + "-txid");
        Awaitility.await()
                .pollInterval(Duration.ofMillis(5))
                .atMost(Duration.ofSeconds(60))
                .until(() -> Files.exists(sidecar)
                        && Files.exists(output)
                        && Files.readString(sidecar).strip().equals(txid.toString()));
    }
}
