package io.loomstream.engine.follow;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.FileSteps;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.restore.IntegrityCheck;
import io.loomstream.engine.restore.RestoreProgress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;

/** Followers as the tests want them, and what to say of their databases. */
final class FollowSetup {
    private FollowSetup() {}

    static Follower follower(ReplicaClient replica, Path output, StoppingDisk disk) {
        return follower(replica, output, disk, disk);
    }

    static Follower follower(ReplicaClient replica, Path output, FileSteps steps, FollowedDatabase.Opener opener) {
        return new Follower(
                replica,
                output,
                Duration.ofMillis(5),
                IntegrityCheck.FULL,
                RestoreProgress.NONE,
                steps,
                opener,
                new Random(System.nanoTime()),
                Time.system());
    }

    static Txid ready(Follower follower) throws InterruptedException {
        return ((Follower.Start.Ready) follower.prepare()).at();
    }

    /** Looks until there is nothing more. */
    static Txid catchUp(Session session) throws IOException, InterruptedException {
        while (session.poll()) {
            // Again.
        }
        return session.position().txid();
    }

    /** Whether a file holds exactly a state, but for the change counter and the fields that go with it. */
    static boolean holds(Path database, byte[] image) throws IOException {
        return Arrays.equals(masked(image), masked(Files.readAllBytes(database)));
    }

    static void assertHolds(Path database, byte[] image) throws IOException {
        assertArrayEquals(masked(image), masked(Files.readAllBytes(database)));
    }

    private static byte[] masked(byte[] image) {
        ByteBuffer bytes = ByteBuffer.wrap(image.clone());
        if (image.length >= 100) {
            bytes.putInt(24, 0).putInt(92, 0);
        }
        return bytes.array();
    }

    /** What the sqlite3 program answers; it is a process of its own and so meets our locks and our journal. */
    static String sqlite(Path database, String sql) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("sqlite3", "-bail", database.toString(), sql)
                .redirectErrorStream(true)
                .start();
        String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertEquals(0, process.waitFor(), answer);
        return answer;
    }
}
