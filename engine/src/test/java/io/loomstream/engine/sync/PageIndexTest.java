package io.loomstream.engine.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.LtxEncoder;
import io.loomstream.engine.ltx.LtxHeader;
import io.loomstream.engine.ltx.LtxTrailer;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.wal.FrameChecksum;
import io.loomstream.engine.wal.WalSalts;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The index against a model that keeps every page, with files put together as kills and power cuts leave them. */
class PageIndexTest {
    private static final int PAGE = 512;
    private static final long SEED = Long.getLong("loomstream.seed", System.nanoTime());

    @TempDir
    Path meta;

    private final Random random = new Random(SEED);
    private final SipHash128 hash = new SipHash128();
    private LocalFiles local;
    private PageIndex index;

    @BeforeEach
    void start() throws IOException {
        System.out.println("PageIndexTest -Dloomstream.seed=" + SEED);
        Files.createDirectories(meta.resolve("ltx/0"));
        local = new LocalFiles(meta);
        index = new PageIndex(local, new PageIndex.Hashing(hash, new SecureRandom()), CodecResources.shared());
    }

    /** A state of the database: its cursor, and every page as the replica has it. */
    private record State(Cursor cursor, List<byte[]> pages, ByteArrayOutputStream ltx) {}

    private State state(State before, int commit, Map<Integer, byte[]> changed)
            throws IOException, InterruptedException {
        Txid txid = before == null ? Txid.ONE : before.cursor().txid().next();
        List<byte[]> pages = new ArrayList<>(before == null ? List.of() : before.pages());
        while (pages.size() < commit) {
            pages.add(new byte[PAGE]);
        }
        pages.subList(commit, pages.size()).clear();
        ByteArrayOutputStream ltx = new ByteArrayOutputStream();
        LtxHeader header = LtxHeader.of(PAGE, commit, TxidRange.of(txid), random.nextInt(), 32, 0, WalSalts.NONE);
        LtxTrailer trailer;
        try (LtxEncoder encoder = new LtxEncoder(ltx, header, CodecResources.shared())) {
            for (Map.Entry<Integer, byte[]> page : changed.entrySet()) {
                encoder.page(page.getKey(), page.getValue(), 0);
                pages.set(page.getKey() - 1, page.getValue());
            }
            trailer = encoder.finish();
        }
        Cursor cursor = new Cursor(
                txid,
                PAGE,
                commit,
                WalSalts.NONE,
                0,
                new FrameChecksum(0, 0),
                false,
                FileFingerprint.ABSENT,
                trailer.fileChecksum());
        return new State(cursor, pages, ltx);
    }

    private byte[] page() {
        byte[] page = new byte[PAGE];
        random.nextBytes(page);
        return page;
    }

    private State first(int commit) throws IOException, InterruptedException {
        TreeMap<Integer, byte[]> all = new TreeMap<>();
        for (int number = 1; number <= commit; number++) {
            all.put(number, page());
        }
        return state(null, commit, all);
    }

    private State following(State before) throws IOException, InterruptedException {
        int size = before.pages().size();
        int commit = Math.max(40, size + random.nextInt(-20, 21));
        TreeMap<Integer, byte[]> changed = new TreeMap<>();
        for (int number = size + 1; number <= commit; number++) {
            changed.put(number, page());
        }
        for (int i = random.nextInt(1, 12); i > 0; i--) {
            changed.put(random.nextInt(1, commit + 1), page());
        }
        return state(before, commit, changed);
    }

    private static void feed(IndexUpdate update, State state, Map<Integer, byte[]> pages) {
        pages.forEach((number, page) -> update.page(number, page, 0));
        update.prepare(state.cursor());
    }

    private static Map<Integer, byte[]> changes(State before, State after) {
        TreeMap<Integer, byte[]> changed = new TreeMap<>();
        for (int i = 0; i < after.pages().size(); i++) {
            if (before == null
                    || i >= before.pages().size()
                    || !Arrays.equals(before.pages().get(i), after.pages().get(i))) {
                changed.put(i + 1, after.pages().get(i));
            }
        }
        return changed;
    }

    private void build(State state) {
        try (IndexUpdate update = index.rewrite(PAGE, state.pages().size(), Optional.empty())) {
            feed(update, state, changes(null, state));
            update.complete();
        }
    }

    private void roll(State before, State after) {
        try (IndexUpdate update = index.follow(before.cursor(), after.pages().size())) {
            feed(update, after, changes(before, after));
            update.complete();
        }
    }

    private void assertDescribes(State state) throws IOException, InterruptedException {
        try (PageIndexFile file = index.proven(state.cursor()).orElseThrow()) {
            long[] entry = new long[2];
            long[] expected = new long[2];
            for (int number = 1; number <= state.pages().size(); number++) {
                file.entry(number, entry);
                hash.of(file.slot().key(), number, state.pages().get(number - 1), 0, PAGE, expected);
                assertTrue(Arrays.equals(expected, entry), "page " + number);
            }
        }
    }

    private boolean proves(State state) throws IOException, InterruptedException {
        Optional<PageIndexFile> file = index.proven(state.cursor());
        if (file.isPresent()) {
            file.get().close();
            assertDescribes(state);
        }
        return file.isPresent();
    }

    @Test
    void followsCopiesThatGrowAndShrink() throws Exception {
        State state = first(100);
        build(state);
        for (int i = 0; i < 200; i++) {
            State next = following(state);
            roll(state, next);
            assertDescribes(next);
            assertFalse(
                    index.proven(state.cursor()).isPresent() && !state.cursor().equals(next.cursor()), "old state");
            state = next;
        }
    }

    @Test
    void isForItsOwnerOnly() throws Exception {
        build(first(100));
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(local.pagesFile())));
    }

    @Test
    void takesSixteenBytesAPage() throws Exception {
        build(first(1000));
        assertEquals(128 + 16_000, Files.size(local.pagesFile()));
    }

    @Test
    void isNotBelievedForAnotherFileOfTheSameName() throws Exception {
        State state = first(100);
        build(state);
        Cursor other = state.cursor().asOf(state.cursor().txid(), state.cursor().ltxChecksum() ^ 1);
        assertFalse(index.proven(other).isPresent());
    }

    /** Every subset of writes may be what a power cut leaves: header sectors and entries of before and after, mixed. */
    @Test
    void believesNoMixtureOfTwoStates() throws Exception {
        int believed = 0;
        for (int i = 0; i < 300; i++) {
            Files.deleteIfExists(local.pagesFile());
            State before = first(60);
            build(before);
            State middle = following(before);
            roll(before, middle);
            byte[] old = Files.readAllBytes(local.pagesFile());
            State after = following(middle);
            roll(middle, after);
            byte[] now = Files.readAllBytes(local.pagesFile());
            byte[] mixed = random.nextBoolean() ? now.clone() : Arrays.copyOf(now, old.length);
            for (int at = 0; at < Math.min(old.length, mixed.length); at += 16) {
                // A slot is one write, within one sector.
                if (at >= PageIndexFile.HEADER_BYTES ? random.nextInt(8) == 0 : at % 64 == 0 && random.nextBoolean()) {
                    int length = at >= PageIndexFile.HEADER_BYTES ? 16 : 64;
                    System.arraycopy(old, at, mixed, at, length);
                }
            }
            Files.write(local.pagesFile(), mixed);
            // proves() compares every entry with the model's
            believed += proves(after) ? 1 : 0;
            believed += proves(middle) ? 1 : 0;
        }
        assertTrue(believed < 300, "nothing was mixed");
    }

    @Test
    void believesNoFlippedBit() throws Exception {
        State state = first(60);
        build(state);
        byte[] whole = Files.readAllBytes(local.pagesFile());
        int live = (int) PageIndexFile.offsetOfSlot(state.cursor().txid());
        for (int at = 0; at < whole.length; at++) {
            int bit = 8 * at + random.nextInt(8);
            byte[] flipped = whole.clone();
            flipped[bit / 8] ^= (byte) (1 << (bit % 8));
            Files.write(local.pagesFile(), flipped);
            boolean inTheOtherSlot = bit / 8 < PageIndexFile.HEADER_BYTES && bit / 8 / 64 != live / 64;
            assertEquals(inTheOtherSlot, proves(state), "bit " + bit);
        }
    }

    @Test
    void goesBackToTheStateBeforeWhenTheFileGotNoName() throws Exception {
        State before = first(60);
        build(before);
        State after = following(before);
        try (IndexUpdate update = index.follow(before.cursor(), after.pages().size())) {
            feed(update, after, changes(before, after));
        }
        assertDescribes(before);
        assertFalse(proves(after));
    }

    @Test
    void completesItselfFromTheFileThatHasItsName() throws Exception {
        State before = first(60);
        build(before);
        State after = following(before);
        try (IndexUpdate update = index.follow(before.cursor(), after.pages().size())) {
            feed(update, after, changes(before, after));
        }
        Files.write(local.path(after.cursor().txid()), after.ltx().toByteArray());
        assertDescribes(after);
    }

    @Test
    void startsAnewKnowingOnlyWhatIsCopied() throws Exception {
        State before = first(60);
        State after = state(before, 61, new TreeMap<>(Map.of(1, page(), 61, page())));
        roll(before, after);
        try (PageIndexFile file = index.proven(after.cursor()).orElseThrow()) {
            long[] entry = new long[2];
            file.entry(30, entry);
            assertEquals(0, entry[0] | entry[1]);
            file.entry(61, entry);
            assertTrue((entry[0] | entry[1]) != 0);
        }
    }

    @Test
    void aDatabaseOfSixteenKilobytesHasNone() throws Exception {
        build(first(33));
        assertTrue(Files.exists(local.pagesFile()));
        build(first(32));
        assertFalse(Files.exists(local.pagesFile()), "16 KB");
    }
}
