package io.loomstream.engine.restore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.FileReplicaTree;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.ReplicaTree;
import io.loomstream.engine.restore.ManyRestores.Job;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole fleets, from copies of a replica that Litestream wrote. */
class ManyRestoresTest implements ManyRestores.Listener {
    @TempDir
    Path directory;

    private Path replicas;
    private Path outputs;
    private Path log;
    private final Set<String> restored = new ConcurrentSkipListSet<>();
    private final Set<String> complete = new ConcurrentSkipListSet<>();
    private final Map<String, String> failed = new ConcurrentSkipListMap<>();

    @BeforeEach
    void places() {
        replicas = directory.resolve("replicas");
        outputs = directory.resolve("outputs");
        log = directory.resolve("state/restore.jsonl");
    }

    @Override
    public void restored(Job job, Txid reached, long bytes) {
        restored.add(job.name());
    }

    @Override
    public void alreadyComplete(Job job) {
        complete.add(job.name());
    }

    @Override
    public void failed(Job job, String why) {
        failed.put(job.name(), why);
    }

    private void replica(String path) throws IOException {
        Path source = Fixture.copy("l0-only", directory.resolve("fixtures/" + path.replace('/', '-')))
                .replica();
        Path target = replicas.resolve(path);
        Files.createDirectories(target);
        Files.move(source.resolve("ltx"), target.resolve("ltx"));
    }

    private void run(boolean force) throws Exception {
        restored.clear();
        complete.clear();
        failed.clear();
        ReplicaTree tree = new FileReplicaTree(replicas);
        try (RestoreLog open = RestoreLog.open(log, "test")) {
            new ManyRestores(3, IntegrityCheck.FULL, force, open, this)
                    .run(taker -> tree.forEach(new ReplicaTree.Visitor() {
                        @Override
                        public void found(String path, ReplicaClient replica) throws InterruptedException {
                            taker.take(new Job(
                                    path,
                                    replica,
                                    ManyRestores.below(outputs, path).orElseThrow()));
                        }

                        @Override
                        public void refused(String key, String why) {
                            throw new AssertionError(key + why);
                        }
                    }));
        }
    }

    private Set<String> names() throws IOException {
        try (Stream<Path> files = Files.walk(outputs)) {
            Set<String> names = new TreeSet<>();
            files.filter(Files::isRegularFile)
                    .forEach(file -> names.add(outputs.relativize(file).toString()));
            return names;
        }
    }

    private void assertWhole(String name) throws Exception {
        String expected = Fixture.expectations("l0-only").stream()
                .filter(expectation -> expectation.target() instanceof Target.Latest)
                .map(Fixture.Expectation::sha256)
                .findFirst()
                .orElseThrow();
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(outputs.resolve(name)));
        assertEquals(expected, HexFormat.of().formatHex(digest), name);
    }

    @Test
    void restoresEveryReplicaAndLeavesNothingElse() throws Exception {
        replica("a/one.db");
        replica("a/two.db");
        replica("three");
        replica("_loomstream/no");

        run(false);

        assertEquals(Set.of("a/one.db", "a/two.db", "three"), restored);
        assertEquals(Map.of(), failed);
        assertEquals(Set.of("a/one.db", "a/two.db", "three"), names());
        for (String name : names()) {
            assertWhole(name);
        }
    }

    @Test
    void goesOnWhereItWasBrokenOff() throws Exception {
        replica("one");
        replica("two");
        run(false);
        Files.delete(outputs.resolve("two"));
        // A crash in the middle of a line.
        Files.writeString(log, "{\"database\":\"thr", StandardOpenOption.APPEND);
        replica("three");

        run(false);

        assertEquals(Set.of("two", "three"), restored);
        assertEquals(Set.of("one"), complete);
        run(false);
        assertEquals(Set.of("one", "two", "three"), complete);
    }

    @Test
    void keepsWhatItDidNotMakeAndWhatWasWrittenSince() throws Exception {
        replica("foreign");
        replica("written");
        replica("copied");
        Files.createDirectories(outputs);
        Files.writeString(outputs.resolve("foreign"), "somebody's");
        run(false);
        assertEquals(Set.of("foreign"), failed.keySet());
        Files.writeString(outputs.resolve("written"), "more", StandardOpenOption.APPEND);
        Path copy = Files.copy(outputs.resolve("copied"), outputs.resolve("copy"));
        Files.move(copy, outputs.resolve("copied"), StandardCopyOption.REPLACE_EXISTING);

        run(false);

        assertEquals(Set.of("foreign", "written", "copied"), failed.keySet());
        failed.values().forEach(why -> assertTrue(why.contains("already exists"), why));
        assertEquals("somebody's", Files.readString(outputs.resolve("foreign")));

        run(true);

        assertEquals(Set.of("foreign", "written", "copied"), restored);
        assertWhole("foreign");
    }

    @Test
    void oneOfTwoThatLieInsideOneAnotherFailsAndSaysWhy() throws Exception {
        replica("a");
        replica("a/b");
        replica("c");

        run(false);

        assertTrue(restored.contains("c"), restored.toString());
        assertEquals(1, failed.size(), failed.toString());
        String why = failed.values().iterator().next();
        assertTrue(why.contains("is a directory: other databases are below it") || why.contains("is a file, and"), why);
        assertTrue(why.contains(outputs.resolve("a").toString()), why);
    }

    @Test
    void aBrokenReplicaDisturbsNoOther() throws Exception {
        replica("good");
        replica("bad");
        try (Stream<Path> files = Files.walk(replicas.resolve("bad"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.write(file, new byte[200]);
            }
        }

        run(false);

        assertEquals(Set.of("good"), restored);
        assertEquals(Set.of("bad"), failed.keySet());
        assertEquals(Set.of("good"), names());
    }

    @Test
    void aLogThatIsNotItsOwnIsLeftAsItIs() throws Exception {
        Files.createDirectories(log.getParent());
        Map<String, Class<? extends Exception>> texts = new TreeMap<>();
        texts.put("my notes\n", CorruptDataException.class);
        texts.put("my notes", CorruptDataException.class);
        texts.put("{}\n", CorruptDataException.class);
        texts.put("{\"version\":2,\"restore\":\"test\"}\n", CorruptDataException.class);
        texts.put("{\"version\":1,\"restore\":\"another\"}\n", ConflictException.class);
        texts.put("{\"version\":1,\"restore\":\"test\"}\n{\"database\":\"x\"}\n", CorruptDataException.class);
        for (Map.Entry<String, Class<? extends Exception>> text : texts.entrySet()) {
            Files.writeString(log, text.getKey());
            assertThrows(text.getValue(), () -> RestoreLog.open(log, "test"), text.getKey());
            assertEquals(text.getKey(), Files.readString(log));
        }
    }

    @Test
    void aLogWhoseBeginningWasCutShortIsBegunAnew() throws Exception {
        RestoreLog.open(log, "test").close();
        byte[] whole = Files.readAllBytes(log);
        for (int length = 0; length < whole.length; length++) {
            Files.write(log, Arrays.copyOf(whole, length));
            RestoreLog.open(log, "test").close();
            assertEquals(new String(whole, StandardCharsets.UTF_8), Files.readString(log));
        }
    }

    @Test
    void twoRestoresDoNotShareALog() {
        try (RestoreLog first = RestoreLog.open(log, "test")) {
            assertFalse(first.isComplete("x", outputs.resolve("x")));
            assertThrows(ConflictException.class, () -> RestoreLog.open(log, "test"));
        }
    }

    @Test
    void aPathThatLeadsElsewhereHasNoFile() {
        for (String path :
                List.of("", "..", "../x", "a/../../x", "/x", "a//b", "a/.", "x-wal", "a/x-shm", "x-journal")) {
            assertTrue(ManyRestores.below(outputs, path).isEmpty(), path);
        }
        assertEquals(
                outputs.resolve("a/x.db"), ManyRestores.below(outputs, "a/x.db").orElseThrow());
    }
}
