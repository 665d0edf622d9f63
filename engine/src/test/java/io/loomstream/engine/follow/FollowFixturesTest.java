package io.loomstream.engine.follow;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.restore.Fixture;
import io.loomstream.engine.restore.Listing;
import io.loomstream.engine.restore.Restore;
import io.loomstream.engine.restore.RestoreProgress;
import io.loomstream.engine.restore.RestoreRequest;
import io.loomstream.engine.restore.Target;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Replicas that Litestream made, of every page size: followed from their first restorable point to the last, as a
 * follower of Litestream's would be taken over, and killed right before a commit.
 */
class FollowFixturesTest {
    @TempDir
    Path directory;

    @TestFactory
    Stream<DynamicTest> followingEndsWhereRestoringDoes() {
        return Fixture.NAMES.stream()
                .filter(name -> !name.equals("missing-middle"))
                .map(name -> DynamicTest.dynamicTest(name, () -> follow(name)));
    }

    private void follow(String name) throws Exception {
        Path home = Files.createDirectory(directory.resolve("home-" + name));
        ReplicaClient replica = Fixture.copy(name, directory).client();
        Txid first = Listing.of(replica).restorablePoints().first();
        Txid last = Listing.of(replica).newest().orElseThrow();
        Path latest = home.resolve("latest.db");
        Path output = home.resolve("copy.db");
        restore(replica, latest, new Target.Latest());
        begin(replica, output, first);
        byte[] before = Files.readAllBytes(output);

        StoppingDisk whole = StoppingDisk.never();
        assertEquals(last, catchUp(replica, output, whole));
        assertArrayEquals(neutral(latest), neutral(output));
        assertEquals("ok", FollowSetup.sqlite(output, "pragma integrity_check"));
        if (first.equals(last)) {
            return;
        }

        int commit = firstCommit(whole.taken());
        Files.delete(output);
        begin(replica, output, first);
        assertThrows(IOException.class, () -> catchUp(replica, output, new StoppingDisk(commit)));
        FollowSetup.sqlite(output, "select count(*) from sqlite_schema");
        assertArrayEquals(before, Files.readAllBytes(output), "SQLite put other pages back");
        assertEquals(last, catchUp(replica, output, StoppingDisk.never()));
        assertArrayEquals(neutral(latest), neutral(output));
    }

    private static int firstCommit(List<String> taken) {
        // The first one makes sure that there is no journal.
        int looked = taken.indexOf("delete copy.db-journal");
        return looked + 1 + taken.subList(looked + 1, taken.size()).indexOf("delete copy.db-journal");
    }

    private static void begin(ReplicaClient replica, Path output, Txid first) throws Exception {
        Files.deleteIfExists(output.resolveSibling("copy.db-follow"));
        restore(replica, output, new Target.AtTxid(first));
        Files.writeString(output.resolveSibling("copy.db-txid"), first + "\n");
    }

    private static void restore(ReplicaClient replica, Path output, Target target) throws InterruptedException {
        Restore.from(replica, RestoreProgress.NONE)
                .run(RestoreRequest.latest(output).to(target));
    }

    private static Txid catchUp(ReplicaClient replica, Path output, StoppingDisk disk)
            throws IOException, InterruptedException {
        try (Session session = Session.resume(FollowSetup.follower(replica, output, disk))) {
            return FollowSetup.catchUp(session);
        }
    }

    /** Without what a follower sets in page 1. */
    private static byte[] neutral(Path database) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(database));
        bytes.putShort(18, (short) 0).putInt(24, 0).putInt(28, 0).putInt(92, 0);
        return bytes.array();
    }
}
