package io.loomstream.engine.ltx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.ltx.Compactor.Input;
import io.loomstream.engine.testing.LtxSpec;
import io.loomstream.engine.testing.Seed;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Compacting files in any grouping equals applying them in order, and equals what Litestream made of the same files. */
class CompactionPropertyTest {
    private final MemorySpool spool = new MemorySpool();

    private byte[] compact(int openInputsMax, List<byte[]> files) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        List<Input> inputs = new ArrayList<>();
        for (byte[] file : files) {
            inputs.add(new Input("input " + inputs.size(), () -> new ByteArrayInputStream(file)));
        }
        new Compactor(CodecResources.shared(), openInputsMax, spool).compact(inputs, out);
        return out.toByteArray();
    }

    @Test
    void anyGroupingEqualsApplyingInOrder() throws Exception {
        Random random = Seed.random("anyGrouping");
        for (int round = 0; round < 60; round++) {
            int pageSize = 512 << random.nextInt(3);
            List<LtxSpec> history = history(random, pageSize, 2 + random.nextInt(40));
            List<byte[]> files = new ArrayList<>();
            for (LtxSpec spec : history) {
                files.add(spec.encode());
            }
            Map<Integer, String> expected = apply(history);

            byte[] once = compact(64, files);
            assertEquals(expected, apply(List.of(LtxSpec.decode(once, "once"))));
            assertEquals(
                    LtxSpec.decode(once, "once"),
                    LtxSpec.decode(compact(2 + random.nextInt(8), files), "in bounded groups"));
            List<byte[]> grouped = files;
            while (grouped.size() > 1) {
                grouped = groupAtRandom(random, grouped);
            }
            assertEquals(LtxSpec.decode(once, "once"), LtxSpec.decode(grouped.getFirst(), "in random groups"));
        }
        assertEquals(0, spool.alive());
    }

    @Test
    void partOfAHistoryAppliesToWhatWasBefore() throws Exception {
        Random random = Seed.random("partOfAHistory");
        for (int round = 0; round < 60; round++) {
            List<LtxSpec> history = history(random, 512, 3 + random.nextInt(30));
            int from = 1 + random.nextInt(history.size() - 1);
            List<byte[]> rest = new ArrayList<>();
            for (LtxSpec spec : history.subList(from, history.size())) {
                rest.add(spec.encode());
            }
            List<LtxSpec> shorter = new ArrayList<>(history.subList(0, from));
            shorter.add(LtxSpec.decode(compact(2 + random.nextInt(8), rest), "rest"));
            assertEquals(apply(history), apply(shorter));
        }
    }

    private List<byte[]> groupAtRandom(Random random, List<byte[]> files) throws Exception {
        List<byte[]> grouped = new ArrayList<>();
        for (int at = 0; at < files.size(); ) {
            int size = Math.min(files.size() - at, 1 + random.nextInt(5));
            grouped.add(compact(5, files.subList(at, at + size)));
            at += size;
        }
        return grouped;
    }

    /** A snapshot and what followed: changes, growth, truncation, overlaps. */
    private static List<LtxSpec> history(Random random, int pageSize, int files) {
        List<LtxSpec> history = new ArrayList<>();
        int commit = 1 + random.nextInt(30);
        LtxSpec snapshot = LtxSpec.of(pageSize, 1, 1, commit);
        for (int page = 1; page <= commit; page++) {
            snapshot = snapshot.page(page, RoundTripTest.content(random, pageSize));
        }
        history.add(snapshot);
        long txid = 1;
        while (history.size() < files) {
            long reached = txid + 1 + random.nextInt(3);
            int before = commit;
            commit = random.nextInt(3) == 0 ? 1 + random.nextInt(40) : commit;
            LtxSpec next = LtxSpec.of(pageSize, txid + 1, reached, commit);
            int changed = random.nextInt(8);
            for (int i = 0; i < changed; i++) {
                next = next.page(1 + random.nextInt(commit), RoundTripTest.content(random, pageSize));
            }
            for (int page = before + 1; page <= commit; page++) {
                next = next.page(page, RoundTripTest.content(random, pageSize));
            }
            history.add(next);
            txid = reached;
        }
        return history;
    }

    /** What a database looks like after files were applied, page contents as text. */
    private static Map<Integer, String> apply(List<LtxSpec> files) {
        TreeMap<Integer, String> image = new TreeMap<>();
        for (LtxSpec file : files) {
            file.pages().forEach((number, bytes) -> image.put(number, new String(bytes, StandardCharsets.ISO_8859_1)));
            image.tailMap(file.header().commit(), false).clear();
        }
        return image;
    }

    @Test
    void compactingLitestreamsFilesGivesLitestreamsFiles() throws Exception {
        Path replica = Path.of(CompactionPropertyTest.class
                .getResource("/fixtures/levels/replica/ltx")
                .toURI());
        int compared = 0;
        for (int level = 1; level <= 3; level++) {
            Map<Txid, Path> below = byFirstTxid(replica.resolve(Integer.toString(level - 1)));
            for (Path made :
                    byFirstTxid(replica.resolve(Integer.toString(level))).values()) {
                TxidRange range = rangeOf(made).orElseThrow();
                List<byte[]> inputs = inputsOf(range, below);
                if (!inputs.isEmpty()) {
                    LtxSpec theirs = LtxSpec.decode(Files.readAllBytes(made), made.toString());
                    assertEquals(theirs, LtxSpec.decode(compact(2, inputs), "ours"));
                    compared++;
                }
            }
        }
        assertTrue(compared >= 5, compared + " files could be compared");
    }

    /** The files of a level that make up a range; empty when some were deleted since. */
    private static List<byte[]> inputsOf(TxidRange range, Map<Txid, Path> level) throws Exception {
        List<byte[]> inputs = new ArrayList<>();
        Txid next = range.min();
        while (!next.isAfter(range.max())) {
            Path file = level.get(next);
            if (file == null) {
                return List.of();
            }
            inputs.add(Files.readAllBytes(file));
            next = rangeOf(file).orElseThrow().max().next();
        }
        return inputs;
    }

    private static Map<Txid, Path> byFirstTxid(Path directory) throws Exception {
        Map<Txid, Path> found = new HashMap<>();
        try (Stream<Path> files = Files.list(directory)) {
            files.forEach(file -> rangeOf(file).ifPresent(range -> found.put(range.min(), file)));
        }
        return found;
    }

    private static Optional<TxidRange> rangeOf(Path file) {
        return TxidRange.parseFileName(file.getFileName().toString());
    }
}
