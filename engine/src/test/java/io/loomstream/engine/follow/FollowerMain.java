package io.loomstream.engine.follow;

import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.restore.IntegrityCheck;
import io.loomstream.engine.restore.RestoreProgress;
import java.nio.file.Path;
import java.time.Duration;

/** A follower in a process of its own, to be killed: replica and output are its arguments. */
final class FollowerMain {
    private FollowerMain() {}

    public static void main(String[] args) throws InterruptedException {
        Follower follower = Follower.of(
                new FileReplicaClient(Path.of(args[0]), FileAccess.PRIVATE),
                Path.of(args[1]),
                Duration.ofMillis(1),
                IntegrityCheck.NONE,
                RestoreProgress.NONE);
        if (!(follower.prepare() instanceof Follower.Start.Ready)) {
            throw new IllegalStateException("nothing to follow");
        }
        follower.run();
    }
}
