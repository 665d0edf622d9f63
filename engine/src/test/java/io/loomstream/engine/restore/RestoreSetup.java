package io.loomstream.engine.restore;

import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.replica.FileSteps;
import io.loomstream.engine.replica.PosixFileSteps;
import io.loomstream.engine.replica.ReplicaClient;
import java.util.Random;

/** Restores as the tests want them. */
final class RestoreSetup {
    private RestoreSetup() {}

    static Restore of(ReplicaClient replica) {
        return of(replica, new PosixFileSteps());
    }

    static Restore of(ReplicaClient replica, FileSteps steps) {
        return new Restore(
                replica,
                (stream, source) -> DecodedPages.open(stream, source, CodecResources.shared()),
                steps,
                new Random(1),
                RestoreProgress.NONE);
    }
}
