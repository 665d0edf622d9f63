package io.loomstream.engine.sync;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.LockPage;
import io.loomstream.engine.ltx.LtxDecoder;
import io.loomstream.engine.ltx.LtxEncoder;
import io.loomstream.engine.ltx.LtxHeader;
import io.loomstream.engine.ltx.LtxTrailer;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.posix.DescriptorOutput;
import io.loomstream.engine.posix.FileStat;
import io.loomstream.engine.posix.Posix;
import io.loomstream.engine.wal.FrameChecksum;
import io.loomstream.engine.wal.PageMap;
import io.loomstream.engine.wal.WalBatch;
import io.loomstream.engine.wal.WalHeader;
import io.loomstream.engine.wal.WalPosition;
import io.loomstream.engine.wal.WalReader;
import io.loomstream.engine.wal.WalSalts;
import io.loomstream.engine.wal.WalSource;
import java.io.BufferedOutputStream;
import java.io.EOFException;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes L0 files from a WAL, or from a database file with its WAL laid over. Reads only; whether what was read may be
 * believed is for the caller to check afterwards, under the hold.
 *
 * <p>Thread-safe: keeps nothing between calls but a count.
 */
final class Copier {
    private static final int FRAME_HEADER_BYTES = 24;
    static final int CHUNK_BYTES = 256 * 1024;
    private static final int OWNER_ONLY = 0600;
    private static final int SMALLEST_OUTPUT_BUFFER = 1024;
    private static final int LARGEST_OUTPUT_BUFFER = 64 * 1024;

    private static final Logger log = LoggerFactory.getLogger(Copier.class);

    private final Posix posix;
    private final CodecResources resources;
    private final Time time;
    private final LongAdder madeExact = new LongAdder();

    Copier(Posix posix, CodecResources resources, Time time) {
        this.posix = posix;
        this.resources = resources;
        this.time = time;
    }

    /** The WAL and how much of it counts. {@code lastFrame} 0 means that there is nothing in it. */
    record Wal(WalSource source, WalHeader header, String name, int lastFrame) {}

    /** Verifies the frames after {@code from} up to the WAL's last one and says which page is where. */
    WalBatch map(Wal wal, WalPosition from, long maxBytes) throws IOException {
        return switch (WalReader.read(wal.source(), wal.header(), from, wal.lastFrame(), maxBytes)) {
            case WalBatch batch -> batch;
            case WalReader.Broken(int frame, String why) ->
                throw new CorruptDataException(wal.name(), wal.header().frameOffset(frame), why);
        };
    }

    /**
     * Stages the frames of a batch as the file after {@code cursor}'s.
     *
     * @param from the frame the batch starts after, 0 for a new WAL
     * @param tap gets the file's pages too
     */
    StagedCopy copyFrames(
            Cursor cursor, Wal wal, int from, WalBatch batch, ByteReader database, Path staging, PageTap tap)
            throws IOException, InterruptedException {
        WalHeader header = wal.header();
        Txid txid = cursor.txid().next();
        int pageSize = header.pageSize();
        PageMap frames = batch.pages();
        int[] grown = grownPages(cursor.commitPages(), batch.commitPages(), frames, pageSize);
        PageMap older = grown.length == 0 || from == 0
                ? new PageMap()
                : WalReader.lastFrames(wal.source(), header, 1, from, page -> Arrays.binarySearch(grown, page) >= 0);
        int[] pages = merge(frames.pageNumbersSorted(), grown);
        LtxHeader ltx = header(pageSize, batch.commitPages(), TxidRange.of(txid), wal, from, batch.lastFrame());
        byte[] page = new byte[pageSize];
        long size = (long) pages.length * pageSize;
        Encoded encoded = encode(staging, ltx, size, tap, encoder -> {
            for (int number : pages) {
                int frame = frames.frameOf(number);
                if (frame == 0) {
                    frame = older.frameOf(number);
                }
                readPage(wal, frame, database, number, page);
                encoder.page(number, page, 0);
            }
        });
        Cursor next = new Cursor(
                txid,
                pageSize,
                batch.commitPages(),
                header.salts(),
                batch.lastFrame(),
                batch.checksum(),
                false,
                cursor.database(),
                encoded.trailer().fileChecksum());
        return new StagedCopy(staging, next, encoded.stat(), pages.length);
    }

    /**
     * What a copy of everything starts from.
     *
     * @param pageSize bytes
     * @param commitPages database size
     * @param frames the WAL's pages to lay over the file
     * @param position where those frames end
     */
    record Base(int pageSize, int commitPages, PageMap frames, WalPosition position) {}

    /** Stages every page: of the database file, with frames laid over. Without a WAL, {@code base} has no frames. */
    StagedCopy copyEverything(Txid txid, Base base, Optional<Wal> wal, ByteReader database, Path staging, PageTap tap)
            throws IOException, InterruptedException {
        int pageSize = base.pageSize();
        LtxHeader ltx = header(txid, base, wal);
        int lockPage = LockPage.of(pageSize);
        int pagesPerChunk = Math.max(1, CHUNK_BYTES / pageSize);
        byte[] chunk = new byte[Math.min(pagesPerChunk, base.commitPages()) * pageSize];
        Encoded encoded = encode(staging, ltx, (long) base.commitPages() * pageSize, tap, encoder -> {
            for (int first = 1; first <= base.commitPages(); first += pagesPerChunk) {
                int count = Math.min(pagesPerChunk, base.commitPages() - first + 1);
                int read = database.read((first - 1L) * pageSize, chunk, 0, count * pageSize);
                Arrays.fill(chunk, read, count * pageSize, (byte) 0);
                for (int i = 0; i < count; i++) {
                    int number = first + i;
                    if (number == lockPage) {
                        continue;
                    }
                    int frame = base.frames().frameOf(number);
                    if (frame != 0) {
                        readFrame(wal.orElseThrow(), frame, chunk, i * pageSize, pageSize);
                    }
                    encoder.page(number, chunk, i * pageSize);
                }
            }
        });
        return new StagedCopy(
                staging, cursor(txid, base, ltx.walSalts(), encoded.trailer()), encoded.stat(), base.commitPages());
    }

    /** How many complete copies were overtaken by a checkpoint and made exact with later frames. */
    long madeExact() {
        return madeExact.sum();
    }

    /**
     * Stages a complete copy again with later frames laid over: the database file was written to while it was read.
     *
     * @param first the first try, which is read and not changed
     * @param newer where the later frames are; its frames are those after the first try's only
     */
    StagedCopy layOver(StagedCopy first, Base newer, Wal wal, ByteReader database, Path staging, PageTap tap)
            throws IOException, InterruptedException {
        madeExact.increment();
        int pageSize = newer.pageSize();
        Txid txid = first.next().txid();
        LtxHeader ltx = header(
                pageSize,
                newer.commitPages(),
                TxidRange.of(txid),
                wal,
                0,
                newer.position().frame());
        int lockPage = LockPage.of(pageSize);
        int[] grown = grownPages(first.next().commitPages(), newer.commitPages(), newer.frames(), pageSize);
        PageMap older = grown.length == 0
                ? new PageMap()
                : WalReader.lastFrames(
                        wal.source(), wal.header(), 1, first.next().frame(), n -> Arrays.binarySearch(grown, n) >= 0);
        byte[] page = new byte[pageSize];
        try (FileInputStream input = new FileInputStream(first.file().toFile());
                LtxDecoder decoder = new LtxDecoder(input, first.file().toString(), resources)) {
            decoder.header();
            Encoded encoded = encode(staging, ltx, (long) newer.commitPages() * pageSize, tap, encoder -> {
                for (int number = 1; number <= newer.commitPages(); number++) {
                    if (number == lockPage) {
                        continue;
                    }
                    boolean had = number <= first.next().commitPages();
                    if (had) {
                        int decoded = decoder.nextPage(page, 0);
                        if (decoded != number) {
                            throw new CorruptDataException(
                                    first.file().toString(), 0, "page " + number + " is missing");
                        }
                    }
                    int frame = newer.frames().frameOf(number);
                    if (frame != 0) {
                        readFrame(wal, frame, page, 0, pageSize);
                    } else if (!had) {
                        readPage(wal, older.frameOf(number), database, number, page);
                    }
                    encoder.page(number, page, 0);
                }
            });
            return new StagedCopy(
                    staging,
                    cursor(txid, newer, wal.header().salts(), encoded.trailer()),
                    encoded.stat(),
                    newer.commitPages());
        }
    }

    /**
     * Reads a whole L0 file.
     *
     * @throws CorruptDataException when a byte of it is not as it was written, or it is another TXID's
     */
    void verify(Path ltxFile, TxidRange range) throws IOException, InterruptedException {
        try (FileInputStream input = new FileInputStream(ltxFile.toFile());
                LtxDecoder decoder = new LtxDecoder(input, ltxFile.toString(), resources)) {
            if (!decoder.header().range().equals(range)) {
                throw new CorruptDataException(ltxFile.toString(), 16, "holds other TXIDs than its name says");
            }
            byte[] page = new byte[decoder.header().pageSize()];
            int pages = 0;
            while (decoder.nextPage(page, 0) != 0) {
                pages++;
            }
            decoder.finish();
            log.atDebug()
                    .addKeyValue("file", ltxFile)
                    .addKeyValue("pages", pages)
                    .log("verified");
        }
    }

    /** The same complete copy as one file for all TXIDs up to its own: a snapshot. */
    void asSnapshot(Path complete, Path staging) throws IOException, InterruptedException {
        try (FileInputStream input = new FileInputStream(complete.toFile());
                LtxDecoder decoder = new LtxDecoder(input, complete.toString(), resources)) {
            LtxHeader from = decoder.header();
            byte[] page = new byte[from.pageSize()];
            LtxHeader to = from.withRange(new TxidRange(Txid.ONE, from.range().max()));
            encode(staging, to, (long) from.commit() * from.pageSize(), PageTap.NONE, encoder -> {
                for (int number = decoder.nextPage(page, 0); number != 0; number = decoder.nextPage(page, 0)) {
                    encoder.page(number, page, 0);
                }
                decoder.finish();
            });
        }
    }

    static Cursor cursor(Txid txid, Base base, WalSalts salts, LtxTrailer trailer) {
        return new Cursor(
                txid,
                base.pageSize(),
                base.commitPages(),
                salts,
                base.position().frame(),
                base.position().checksum(),
                false,
                FileFingerprint.ABSENT,
                trailer.fileChecksum());
    }

    /** A file with no WAL behind it says offset 32, size 0, salts 0: Litestream cannot take over from offset 0. */
    private LtxHeader withoutWal(int pageSize, int commit, TxidRange range) {
        return LtxHeader.of(pageSize, commit, range, time.now().toEpochMilli(), WalHeader.SIZE_BYTES, 0, WalSalts.NONE);
    }

    /** The header of a copy of the whole database. */
    LtxHeader header(Txid txid, Base base, Optional<Wal> wal) {
        TxidRange range = TxidRange.of(txid);
        int lastFrame = base.position().frame();
        return lastFrame == 0
                ? withoutWal(base.pageSize(), base.commitPages(), range)
                : header(base.pageSize(), base.commitPages(), range, wal.orElseThrow(), 0, lastFrame);
    }

    private LtxHeader header(int pageSize, int commit, TxidRange range, Wal wal, int from, int last) {
        long offset = wal.header().endOfFrame(from);
        long size = wal.header().endOfFrame(last) - offset;
        return LtxHeader.of(
                pageSize,
                commit,
                range,
                time.now().toEpochMilli(),
                offset,
                size,
                wal.header().salts());
    }

    /** Pages that came into being between two sizes without a frame: never written, yet part of the database. */
    private static int[] grownPages(int before, int after, PageMap frames, int pageSize) {
        int lockPage = LockPage.of(pageSize);
        int[] grown = new int[Math.max(0, after - before)];
        int count = 0;
        for (int page = before + 1; page <= after; page++) {
            if (page != lockPage && frames.frameOf(page) == 0) {
                grown[count++] = page;
            }
        }
        return Arrays.copyOf(grown, count);
    }

    private static int[] merge(int[] sorted, int[] more) {
        if (more.length == 0) {
            return sorted;
        }
        int[] all = Arrays.copyOf(sorted, sorted.length + more.length);
        System.arraycopy(more, 0, all, sorted.length, more.length);
        Arrays.sort(all);
        return all;
    }

    static void readPage(Wal wal, int frame, ByteReader database, int number, byte[] page) throws IOException {
        if (frame != 0) {
            readFrame(wal, frame, page, 0, page.length);
        } else {
            // Beyond the end of the file a page that nobody wrote yet is all zero, as SQLite reads it.
            int read = database.read((number - 1L) * page.length, page, 0, page.length);
            Arrays.fill(page, read, page.length, (byte) 0);
        }
    }

    static void readFrame(Wal wal, int frame, byte[] buffer, int offset, int pageSize) throws IOException {
        long position = wal.header().frameOffset(frame) + FRAME_HEADER_BYTES;
        if (wal.source().read(position, buffer, offset, pageSize) < pageSize) {
            throw new EOFException(wal.name() + ": ends inside frame " + frame);
        }
    }

    /** Writes a file's pages between header and trailer. */
    @FunctionalInterface
    interface Pages {
        void writeTo(PageTap encoder) throws IOException, InterruptedException;
    }

    /** What was written, and the file behind it. */
    record Encoded(LtxTrailer trailer, FileStat stat) {}

    /**
     * Writes a file, or nothing.
     *
     * @param pageBytes about how much it will hold at most, for the size of buffers
     */
    Encoded encode(Path staging, LtxHeader header, long pageBytes, PageTap tap, Pages pages)
            throws IOException, InterruptedException {
        // Pages of most databases compress to less than half.
        int buffer = Math.clamp(pageBytes / 2, SMALLEST_OUTPUT_BUFFER, LARGEST_OUTPUT_BUFFER);
        boolean complete = false;
        // Until it is published with the database's own mode it is nobody else's.
        int fd = posix.openOrCreate(staging, OWNER_ONLY);
        boolean open = true;
        try {
            DescriptorOutput file = new DescriptorOutput(posix, fd, staging);
            OutputStream out = new BufferedOutputStream(file, buffer);
            LtxTrailer trailer;
            try (LtxEncoder encoder = new LtxEncoder(out, header, resources, () -> indexSpill(staging))) {
                pages.writeTo((number, page, offset) -> {
                    encoder.page(number, page, offset);
                    tap.page(number, page, offset);
                });
                trailer = encoder.finish();
            }
            out.flush();
            FileStat stat = cutAt(file.position(), fd);
            open = false;
            posix.closeWritten(fd); // before anybody believes that it is complete
            complete = true;
            return new Encoded(trailer, stat);
        } finally {
            if (open) {
                posix.close(fd);
            }
            if (!complete) {
                Files.deleteIfExists(staging);
            }
        }
    }

    /**
     * A file is written over whatever is there and cut at the end: ext4 would write one that was emptied first to the disk at
     * once, and this is a cache.
     */
    private FileStat cutAt(long length, int fd) throws IOException {
        FileStat stat = posix.stat(fd);
        if (stat.sizeBytes() == length) {
            return stat;
        }
        posix.truncate(fd, length);
        return posix.stat(fd);
    }

    private static SeekableByteChannel indexSpill(Path staging) throws IOException {
        Path file = staging.resolveSibling("index-" + staging.getFileName());
        return Files.newByteChannel(
                file,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                StandardOpenOption.DELETE_ON_CLOSE);
    }

    /** Where a WAL is before its first frame. */
    static WalPosition start(WalHeader header) {
        return new WalPosition(0, header.checksum());
    }

    /** Where a WAL is when there is none. */
    static WalPosition nowhere() {
        return new WalPosition(0, new FrameChecksum(0, 0));
    }
}
