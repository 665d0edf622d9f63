package io.loomstream.engine.wal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Verifies the frames of a WAL and finds out where each page is (sqlite.org/fileformat2.html, "WAL Frame Header",
 * "Reader Algorithm"). Stateless.
 */
public final class WalReader {
    /** Reads up to wherever the frames stop being valid. */
    public static final int TO_THE_END = Integer.MAX_VALUE;

    private static final int CHUNK_BYTES = 256 * 1024;

    private WalReader() {}

    /** What a reading gave. */
    public sealed interface Outcome permits WalBatch, Broken {}

    /** A frame that should be there is not, or not as it was written. */
    public record Broken(int frame, String why) implements Outcome {}

    /**
     * Reads whole transactions.
     *
     * @param from where to begin
     * @param lastFrame the last committed frame, as SQLite says: it and all before it must be valid. {@link #TO_THE_END}:
     *     nobody says so; the first frame that is not valid is the end, which is how SQLite recovers a WAL
     * @param maxBytes end at the first commit after so many bytes of frames; 0 for no limit
     */
    public static Outcome read(WalSource source, WalHeader header, WalPosition from, int lastFrame, long maxBytes)
            throws IOException {
        return new Reading(header, from, lastFrame, maxBytes).run(source);
    }

    /** One call of {@link #read}. */
    private static final class Reading {
        private final WalHeader header;
        private final WalPosition from;
        private final int lastFrame;
        private final long maxBytes;
        private final int frameBytes;
        private final WalChecksum sum;
        private final PageMap committed = new PageMap();
        private final PageMap transaction = new PageMap();
        private int commitPages;
        private int commitFrame;
        private FrameChecksum commitChecksum;
        private boolean limited;

        Reading(WalHeader header, WalPosition from, int lastFrame, long maxBytes) {
            this.header = header;
            this.from = from;
            this.lastFrame = lastFrame;
            this.maxBytes = maxBytes;
            this.frameBytes = header.frameSizeBytes();
            this.sum = new WalChecksum(header.bigEndianChecksums(), from.checksum());
            this.commitFrame = from.frame();
            this.commitChecksum = from.checksum();
        }

        Outcome run(WalSource source) throws IOException {
            boolean toTheEnd = lastFrame == TO_THE_END;
            long frames = toTheEnd ? Long.MAX_VALUE : lastFrame - from.frame();
            int framesPerChunk = Math.clamp(frames, 1, Math.max(1, CHUNK_BYTES / frameBytes));
            byte[] chunk = new byte[framesPerChunk * frameBytes];
            int frame = from.frame() + 1;
            while (frame <= lastFrame && !limited) {
                int wanted = (int) Math.min(framesPerChunk, (long) lastFrame - frame + 1) * frameBytes;
                int read = source.read(header.frameOffset(frame), chunk, 0, wanted);
                int whole = read / frameBytes;
                for (int i = 0; i < whole && !limited; i++) {
                    String problem = take(chunk, i * frameBytes, frame);
                    if (problem != null) {
                        return toTheEnd ? batch() : new Broken(frame, problem);
                    }
                    frame++;
                }
                if (whole * frameBytes < wanted && !limited) {
                    return toTheEnd ? batch() : new Broken(frame, "the WAL ends before it");
                }
            }
            if (!toTheEnd && !limited && commitFrame != lastFrame) {
                return new Broken(lastFrame, "not a commit frame");
            }
            return batch();
        }

        private WalBatch batch() {
            return new WalBatch(committed.upTo(commitPages), commitPages, commitFrame, commitChecksum, limited);
        }

        /** Null when the frame is valid. */
        private @Nullable String take(byte[] chunk, int offset, int frame) {
            ByteBuffer fields = ByteBuffer.wrap(chunk, offset, WalHeader.FRAME_HEADER_BYTES);
            int page = fields.getInt();
            int commit = fields.getInt();
            if (fields.getInt() != header.salts().salt1()
                    || fields.getInt() != header.salts().salt2()) {
                return "its salts are another WAL's";
            }
            sum.add(chunk, offset, 8);
            sum.add(chunk, offset + WalHeader.FRAME_HEADER_BYTES, header.pageSize());
            if (!sum.is(fields.getInt(), fields.getInt())) {
                return "its checksum is wrong";
            }
            if (page <= 0 || commit < 0) {
                // SQLite's limit is 2^32 - 2 pages, yet its largest database has 2^31 - 2 less the lock page's.
                return "its page number or size is out of range";
            }
            transaction.put(page, frame);
            if (commit != 0) {
                committed.putAll(transaction);
                transaction.clear();
                commitPages = commit;
                commitFrame = frame;
                commitChecksum = sum.value();
                limited = maxBytes > 0 && frame != lastFrame && (long) (frame - from.frame()) * frameBytes >= maxBytes;
            }
            return null;
        }
    }

    /**
     * The checksum stored in a frame; empty when the WAL does not reach to it or it is of another WAL.
     *
     * @param frame 0 for the header's own
     */
    public static Optional<FrameChecksum> storedChecksum(WalSource source, WalHeader header, int frame)
            throws IOException {
        if (frame == 0) {
            return Optional.of(header.checksum());
        }
        byte[] bytes = new byte[WalHeader.FRAME_HEADER_BYTES];
        if (source.read(header.frameOffset(frame), bytes, 0, bytes.length) < bytes.length) {
            return Optional.empty();
        }
        ByteBuffer fields = ByteBuffer.wrap(bytes);
        WalSalts salts = new WalSalts(fields.getInt(8), fields.getInt(12));
        return salts.equals(header.salts())
                ? Optional.of(new FrameChecksum(fields.getInt(16), fields.getInt(20)))
                : Optional.empty();
    }

    /**
     * Where some pages are last among frames that were verified before.
     *
     * @param firstFrame first frame to look at
     * @param lastFrame last frame to look at
     * @param wanted which pages matter
     */
    public static PageMap lastFrames(
            WalSource source, WalHeader header, int firstFrame, int lastFrame, IntPredicate wanted) throws IOException {
        PageMap found = new PageMap();
        byte[] number = new byte[Integer.BYTES];
        for (int frame = firstFrame; frame <= lastFrame; frame++) {
            if (source.read(header.frameOffset(frame), number, 0, number.length) < number.length) {
                return found;
            }
            int page = ByteBuffer.wrap(number).getInt();
            if (wanted.test(page)) {
                found.put(page, frame);
            }
        }
        return found;
    }
}
