package io.loomstream.engine.sync;

import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.LtxDecoder;
import io.loomstream.engine.ltx.LtxHeader;
import io.loomstream.engine.ltx.LtxTrailer;
import io.loomstream.engine.wal.PageMap;
import io.loomstream.engine.wal.WalBatch;
import io.loomstream.engine.wal.WalHeader;
import io.loomstream.engine.wal.WalReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Finds out whether a copy can go on from an L0 file that has no cursor of ours beside it: one of Litestream's, or one
 * fetched from the replica.
 *
 * <p>The file says where in which WAL it ended, but not with what checksum. So the WAL is verified from its header to that
 * place, and every page of the file must be, byte for byte, what the WAL has last for it there. A page without a frame (a
 * full copy has many) must be in the database file as it is.
 */
final class Adoption {
    private final CodecResources resources;

    Adoption(CodecResources resources) {
        this.resources = resources;
    }

    /**
     * Compares an L0 file with the WAL under the hold.
     *
     * @param database the fingerprint of the database file, taken under the hold before
     * @return the cursor to go on from; empty when that is not proven
     * @throws CorruptDataException when the L0 file is damaged
     */
    Optional<Cursor> adopt(Path ltxFile, Copier.Wal wal, ByteReader databaseFile, FileFingerprint database)
            throws IOException, InterruptedException {
        try (FileInputStream input = new FileInputStream(ltxFile.toFile());
                LtxDecoder decoder = new LtxDecoder(input, ltxFile.toString(), resources)) {
            LtxHeader ltx = decoder.header();
            WalHeader header = wal.header();
            // Offset and size may be anything; their sum may overflow, so they are bounded one by one.
            long walEnd = WalHeader.SIZE_BYTES + (long) wal.lastFrame() * header.frameSizeBytes();
            boolean withinWal = ltx.walOffset() >= WalHeader.SIZE_BYTES
                    && ltx.walOffset() <= walEnd
                    && ltx.walSize() > 0
                    && ltx.walSize() <= walEnd - ltx.walOffset();
            if (!withinWal) {
                return Optional.empty();
            }
            long end = ltx.walOffset() + ltx.walSize();
            boolean sameWal = ltx.walSalts().equals(header.salts())
                    && ltx.pageSize() == header.pageSize()
                    && (ltx.walOffset() - WalHeader.SIZE_BYTES) % header.frameSizeBytes() == 0
                    && (end - WalHeader.SIZE_BYTES) % header.frameSizeBytes() == 0;
            if (!sameWal) {
                return Optional.empty();
            }
            int lastFrame = header.frameEndingAt(end);
            int firstFrame = header.frameEndingAt(ltx.walOffset());
            if (!(WalReader.read(wal.source(), header, Copier.start(header), lastFrame, 0) instanceof WalBatch batch)
                    || batch.lastFrame() != lastFrame
                    || batch.commitPages() != ltx.commit()) {
                return Optional.empty();
            }
            LtxTrailer trailer = samePages(decoder, ltx, wal, batch.pages(), firstFrame, databaseFile);
            if (trailer == null) {
                return Optional.empty();
            }
            return Optional.of(new Cursor(
                    ltx.range().max(),
                    ltx.pageSize(),
                    ltx.commit(),
                    header.salts(),
                    lastFrame,
                    batch.checksum(),
                    false,
                    database,
                    trailer.fileChecksum()));
        }
    }

    private static @Nullable LtxTrailer samePages(
            LtxDecoder decoder, LtxHeader ltx, Copier.Wal wal, PageMap frames, int firstFrame, ByteReader databaseFile)
            throws IOException, InterruptedException {
        byte[] copied = new byte[ltx.pageSize()];
        byte[] found = new byte[ltx.pageSize()];
        int framesSeen = 0;
        for (int number = decoder.nextPage(copied, 0); number != 0; number = decoder.nextPage(copied, 0)) {
            int frame = frames.frameOf(number);
            if (frame > firstFrame) {
                framesSeen++;
            }
            Copier.readPage(wal, frame, databaseFile, number, found);
            if (!Arrays.equals(copied, found)) {
                return null;
            }
        }
        LtxTrailer trailer = decoder.finish();
        // Every page with a frame in the range must have been in the file.
        int expected = 0;
        for (int number : frames.pageNumbersSorted()) {
            if (frames.frameOf(number) > firstFrame) {
                expected++;
            }
        }
        return framesSeen == expected ? trailer : null;
    }
}
