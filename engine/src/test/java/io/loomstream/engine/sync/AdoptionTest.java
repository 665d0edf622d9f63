package io.loomstream.engine.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.LtxDecoder;
import io.loomstream.engine.ltx.LtxEncoder;
import io.loomstream.engine.ltx.LtxHeader;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.sqlite.DatabaseFiles;
import io.loomstream.engine.sqlite.HoldTaker;
import io.loomstream.engine.sqlite.WalFile;
import io.loomstream.engine.sqlite.WalHold;
import io.loomstream.engine.testing.AppProcess;
import io.loomstream.engine.testing.WalForge;
import io.loomstream.engine.wal.FrameChecksum;
import io.loomstream.engine.wal.WalBatch;
import io.loomstream.engine.wal.WalHeader;
import io.loomstream.engine.wal.WalPosition;
import io.loomstream.engine.wal.WalSalts;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** L0 files without a cursor beside them, against the WAL of a real application. */
class AdoptionTest {
    private static final FileFingerprint FINGERPRINT = new FileFingerprint(1, 2, 3, 4, 5, 6, false);

    @TempDir
    Path directory;

    private final SyncServices services = Captured.services(Time.system());
    private AppProcess app;
    private DatabaseFiles files;
    private WalHold hold;
    private WalFile wal;
    private int frames;

    @BeforeEach
    void start() throws Exception {
        Path database = directory.resolve("app.db");
        app = AppProcess.start();
        app.open("a", database).exec("a", "pragma journal_mode=wal").exec("a", "create table t(x)");
        for (int i = 0; i < 8; i++) {
            app.exec("a", "insert into t values (randomblob(3000))");
        }
        files = services.files(database);
        HoldTaker.Attempt attempt = services.taker().take(files, HoldTaker.Technique.AUTO, Duration.ofSeconds(5));
        hold = assertInstanceOf(HoldTaker.Taken.class, attempt).hold();
        wal = hold.openWal().orElseThrow();
        try (WalForge forge = WalForge.open(files.wal())) {
            frames = forge.frames();
        }
    }

    @AfterEach
    void stop() throws IOException {
        wal.close();
        hold.release();
        app.close();
    }

    private Copier.Wal upTo(int lastFrame) throws IOException {
        return new Copier.Wal(wal, wal.header().orElseThrow(), files.wal().toString(), lastFrame);
    }

    private Path ltx(long txid) {
        return directory.resolve("file-" + txid + ".ltx");
    }

    /** As a capture would have made it, of the frames behind {@code from} up to {@code to}; returns the cursor that goes with it. */
    private Cursor copy(long txid, int from, int to) throws Exception {
        Copier copier = services.copier();
        if (from == 0 && txid == 1) {
            WalBatch batch = copier.map(upTo(to), Copier.start(upTo(to).header()), 0);
            Copier.Base base = new Copier.Base(
                    upTo(to).header().pageSize(),
                    batch.commitPages(),
                    batch.pages(),
                    new WalPosition(batch.lastFrame(), batch.checksum()));
            return copier.copyEverything(
                            new Txid(txid), base, Optional.of(upTo(to)), hold::readDatabase, ltx(txid), PageTap.NONE)
                    .next();
        }
        Cursor before = copy(txid - 1, 0, from);
        WalBatch batch = copier.map(upTo(to), new WalPosition(from, before.frameChecksum()), 0);
        return copier.copyFrames(before, upTo(to), from, batch, hold::readDatabase, ltx(txid), PageTap.NONE)
                .next();
    }

    private Optional<Cursor> adopt(long txid, int lastFrame) throws Exception {
        return services.adoption().adopt(ltx(txid), upTo(lastFrame), hold::readDatabase, FINGERPRINT);
    }

    private int commitFrame(int atLeast) throws IOException {
        try (WalForge forge = WalForge.open(files.wal())) {
            int frame = atLeast;
            while (forge.commit(frame) == 0) {
                frame++;
            }
            return frame;
        }
    }

    /** Rewrites an L0 file with another header or other pages. */
    private void rewrite(long txid, UnaryOperator<LtxHeader> header, Consumer<NavigableMap<Integer, byte[]>> pages)
            throws Exception {
        NavigableMap<Integer, byte[]> found = new TreeMap<>();
        LtxHeader old;
        try (InputStream in = Files.newInputStream(ltx(txid));
                LtxDecoder decoder = new LtxDecoder(in, "test", CodecResources.shared())) {
            old = decoder.header();
            byte[] page = new byte[old.pageSize()];
            for (int n = decoder.nextPage(page, 0); n != 0; n = decoder.nextPage(page, 0)) {
                found.put(n, page.clone());
            }
        }
        pages.accept(found);
        try (OutputStream out = Files.newOutputStream(ltx(txid));
                LtxEncoder encoder = new LtxEncoder(out, header.apply(old), CodecResources.shared())) {
            for (Map.Entry<Integer, byte[]> page : found.entrySet()) {
                encoder.page(page.getKey(), page.getValue(), 0);
            }
            encoder.finish();
        }
    }

    private static LtxHeader moved(LtxHeader h, long walOffset, long walSize, WalSalts salts) {
        return LtxHeader.of(h.pageSize(), h.commit(), h.range(), h.timestampMillis(), walOffset, walSize, salts);
    }

    private void assertAdopted(Cursor made, Optional<Cursor> adopted) {
        assertTrue(adopted.isPresent(), "not adopted");
        assertEquals(made.observed(FINGERPRINT, false), adopted.get());
    }

    @Test
    void aCompleteCopyIsAdoptedWithTheChecksumOfItsFrame() throws Exception {
        Cursor made = copy(1, 0, commitFrame(4));
        assertAdopted(made, adopt(1, frames));
        assertAdopted(made, adopt(1, made.frame()));
    }

    @Test
    void framesFromTheMiddleOfTheWalAreAdopted() throws Exception {
        int middle = commitFrame(4);
        Cursor made = copy(2, middle, commitFrame(middle + 3));
        assertTrue(made.frame() < frames);
        assertAdopted(made, adopt(2, frames));
    }

    @Test
    void adoptionGoesOnAfterABackfill() throws Exception {
        Cursor made = copy(1, 0, frames);
        app.exec("a", "pragma wal_checkpoint(PASSIVE)");
        assertAdopted(made, adopt(1, frames));
    }

    @Test
    void aFileThatEndsBehindTheLastCommittedFrameIsNotAdopted() throws Exception {
        copy(1, 0, frames);
        assertEquals(Optional.empty(), adopt(1, frames - 1));
    }

    @Test
    void anotherWalIsNotAdopted() throws Exception {
        copy(1, 0, frames);
        WalHeader header = upTo(frames).header();
        WalSalts other = new WalSalts(header.salts().salt1() + 1, header.salts().salt2());
        rewrite(1, h -> moved(h, h.walOffset(), h.walSize(), other), pages -> {});
        assertEquals(Optional.empty(), adopt(1, frames));
    }

    @Test
    void placesThatAreNoFramesEndAreNotAdopted() throws Exception {
        copy(1, 0, frames);
        rewrite(1, h -> moved(h, h.walOffset(), h.walSize() - 1, h.walSalts()), pages -> {});
        assertEquals(Optional.empty(), adopt(1, frames));
        rewrite(1, h -> moved(h, h.walOffset() + 8, h.walSize() - 7, h.walSalts()), pages -> {});
        assertEquals(Optional.empty(), adopt(1, frames));
        rewrite(1, h -> moved(h, 1, 31, h.walSalts()), pages -> {});
        assertEquals(Optional.empty(), adopt(1, frames), "inside the header");
    }

    @Test
    void placesFarOutsideTheWalAreNotAdopted() throws Exception {
        copy(1, 0, frames);
        long frame = upTo(frames).header().frameSizeBytes();
        long far = Long.MAX_VALUE - Long.MAX_VALUE % frame;
        for (long[] place : new long[][] {
            {32 + far - frame, frame},
            {32, far},
            {32 + far - frame, far},
            {32, (1L << 32) * frame},
            {32 + (1L << 31) * frame, frame}
        }) {
            rewrite(1, h -> moved(h, place[0], place[1], h.walSalts()), pages -> {});
            assertEquals(Optional.empty(), adopt(1, frames), "offset " + place[0] + ", size " + place[1]);
        }
    }

    @Test
    void aFileWithNoWalBehindItIsNotAdopted() throws Exception {
        copy(1, 0, frames);
        rewrite(1, h -> moved(h, 32, 0, WalSalts.NONE), pages -> {});
        assertEquals(Optional.empty(), adopt(1, frames));
    }

    @Test
    void anyOtherByteInAnyPageIsNotAdopted() throws Exception {
        int middle = commitFrame(4);
        copy(2, middle, frames);
        rewrite(2, h -> h, pages -> pages.lastEntry().getValue()[17] ^= 1);
        assertEquals(Optional.empty(), adopt(2, frames));
    }

    @Test
    void aPageThatIsMissingIsNotAdopted() throws Exception {
        int middle = commitFrame(4);
        copy(2, middle, frames);
        rewrite(2, h -> h, NavigableMap::pollLastEntry);
        assertEquals(Optional.empty(), adopt(2, frames));
    }

    @Test
    void aWalWhoseHistoryIsAnotherIsNotAdopted() throws Exception {
        int middle = commitFrame(4);
        Cursor made = copy(2, middle, frames);
        // The pages that the file has are the last of their number: an earlier frame of one of them differs.
        try (WalForge forge = WalForge.open(files.wal())) {
            forge.change(2, page -> {
                page[page.length - 1] ^= 1;
                return page;
            });
        }
        Optional<Cursor> adopted = adopt(2, frames);
        assertFalse(
                adopted.map(Cursor::frameChecksum).equals(Optional.of(made.frameChecksum())),
                "the checksum is the WAL's own");
    }

    @Test
    void aWalWithABrokenFrameBeforeTheEndIsNotAdopted() throws Exception {
        copy(1, 0, frames);
        try (RandomAccessFile raw = new RandomAccessFile(files.wal().toFile(), "rw")) {
            raw.seek(32 + 24 + 100);
            int old = raw.read();
            raw.seek(32 + 24 + 100);
            raw.write(old ^ 1);
        }
        assertEquals(Optional.empty(), adopt(1, frames));
    }

    @Test
    void aDamagedFileIsReportedAsDamaged() throws Exception {
        copy(1, 0, frames);
        byte[] bytes = Files.readAllBytes(ltx(1));
        bytes[bytes.length - 1] ^= 1;
        Files.write(ltx(1), bytes);
        assertThrows(CorruptDataException.class, () -> adopt(1, frames));
    }

    @Test
    void theFrameChecksumIsTheOneStoredInTheWal() throws Exception {
        copy(1, 0, frames);
        byte[] bytes = Files.readAllBytes(files.wal());
        long at = upTo(frames).header().frameOffset(frames) + 16;
        ByteBuffer stored = ByteBuffer.wrap(bytes, (int) at, 8);
        assertEquals(
                new FrameChecksum(stored.getInt(), stored.getInt()),
                adopt(1, frames).orElseThrow().frameChecksum());
    }
}
