package io.loomstream.engine.restore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.loomstream.engine.replica.ReplicaFile;
import io.loomstream.engine.testing.CountingReplica;
import io.loomstream.engine.testing.UntouchedReplica;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A restore lists each level once, opens the files of its plan once each, and changes nothing in the replica. */
class RestoreReadsOnlyTest {
    @TempDir
    Path directory;

    @Test
    void restoreReadsItsPlanAndNothingElse() throws Exception {
        for (String name : List.of("levels", "checkpoints", "resnapshot", "l0-only")) {
            Fixture fixture = Fixture.copy(name, directory);
            modes(fixture.replica(), "r-xr-xr-x", "r--r--r--");
            UntouchedReplica before = UntouchedReplica.of(fixture.replica());
            CountingReplica replica = new CountingReplica(fixture.client());
            Path output = directory.resolve(name + ".db");

            RestoreOutcome.Restored restored = assertInstanceOf(
                    RestoreOutcome.Restored.class,
                    RestoreSetup.of(replica).run(RestoreRequest.latest(output).checked(IntegrityCheck.FULL)));

            before.assertUntouched();
            assertEquals(List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"), replica.lists());
            assertEquals(
                    restored.plan().files().stream()
                            .map(RestoreReadsOnlyTest::name)
                            .sorted()
                            .toList(),
                    replica.opens().stream().sorted().toList());
            modes(fixture.replica(), "rwxr-xr-x", "rw-r--r--");
        }
    }

    private static String name(ReplicaFile file) {
        return file.level() + "/" + file.range().fileName();
    }

    private static void modes(Path root, String directories, String files) throws Exception {
        try (Stream<Path> all = Files.walk(root)) {
            for (Path path : all.toList()) {
                Files.setPosixFilePermissions(
                        path, PosixFilePermissions.fromString(Files.isDirectory(path) ? directories : files));
            }
        }
    }
}
