package io.loomstream.perf.fleet;

import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.restore.Restore;
import io.loomstream.engine.restore.RestoreOutcome;
import io.loomstream.engine.restore.RestoreProgress;
import io.loomstream.engine.restore.RestoreRequest;
import io.loomstream.perf.check.PageCompare;
import io.loomstream.perf.server.S3Store;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Some databases of a fleet, restored and compared with their sources, to which nobody writes any more.
 *
 * @param differences of those that are not the same page for page, one line each
 */
record RestoredSample(int restored, List<String> differences) {
    RestoredSample {
        differences = List.copyOf(differences);
    }

    /**
     * Restores and compares.
     *
     * @param s3 where the replicas are; null: in the layout's directory
     */
    static RestoredSample check(List<Integer> sample, FleetLayout layout, @Nullable URI s3) throws Exception {
        if (s3 == null) {
            return check(
                    sample,
                    layout,
                    path -> new FileReplicaClient(layout.replicas().resolve(path), FileAccess.PRIVATE));
        }
        try (S3Store store = S3Store.at(s3)) {
            return check(sample, layout, store::client);
        }
    }

    /** Where a replica is, by its path below the root of all. */
    private interface Replicas {
        ReplicaClient at(String path);
    }

    private static RestoredSample check(List<Integer> sample, FleetLayout layout, Replicas replicas) throws Exception {
        Path directory = Files.createDirectories(layout.directory().resolve("restored"));
        List<String> differences = new ArrayList<>();
        int restored = 0;
        for (int index : sample) {
            Path source = layout.path(index);
            Path output = directory.resolve(source.getFileName());
            Files.deleteIfExists(output);
            RestoreOutcome outcome = Restore.from(replicas.at(layout.replicaPath(index)), RestoreProgress.NONE)
                    .run(RestoreRequest.latest(output));
            if (outcome instanceof RestoreOutcome.Restored) {
                restored++;
                PageCompare.difference(source, output).ifPresent(text -> differences.add(source + ": " + text));
            } else {
                differences.add(source + ": " + outcome);
            }
            Files.deleteIfExists(output);
        }
        return new RestoredSample(restored, differences);
    }
}
