package io.loomstream.engine.ltx;

import io.loomstream.engine.error.CorruptDataException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4FrameInputStream;
import net.jpountz.xxhash.XXHashFactory;

/**
 * Reads the page frames of an LTX file: checks their order and bounds, decompresses them. Both encodings: LZ4 blocks, and
 * the LZ4 frames of older files.
 */
final class FrameReader {
    /** As its bytes stand in the file. */
    private static final int LZ4_FRAME_MAGIC = 0x04224D18;

    private static final int FLG_OFFSET = 4;
    private static final int FLG_CONTENT_CHECKSUM = 0x04;
    private static final int LZ4_FRAME_PREFIX_BYTES = 7;

    private final ByteInput in;
    private final LtxHeader header;
    private final CodecResources resources;
    private final int lockPage;
    private final int largestBlock;
    private final byte[] fields = new byte[LtxEncoder.FRAME_HEADER_BYTES];
    private byte[] block = new byte[0];
    private int lastPage;
    /** Header bytes of the frame just read, as they are hashed. */
    private int headerBytes;

    private long frameOffset;
    private long frameBytes;

    FrameReader(ByteInput in, LtxHeader header, CodecResources resources) {
        this.in = in;
        this.header = header;
        this.resources = resources;
        this.lockPage = LockPage.of(header.pageSize());
        this.largestBlock = resources.compressor().maxCompressedLength(header.pageSize());
    }

    /** The next page's number, its bytes in {@code buffer}; 0 at the end of the pages, of which there are then enough. */
    int next(byte[] buffer, int offset) throws IOException {
        frameOffset = in.position();
        in.readFully(fields, 0, LtxEncoder.PAGE_HEADER_BYTES);
        int number = getInt(fields, 0);
        int flags = (fields[4] & 0xFF) << 8 | (fields[5] & 0xFF);
        headerBytes = LtxEncoder.PAGE_HEADER_BYTES;
        if (number == 0 && flags == 0) {
            checkComplete();
            return 0;
        }
        checkNumber(number);
        if ((flags & ~LtxEncoder.FLAG_SIZE_FOLLOWS) != 0) {
            throw in.corrupt(frameOffset + 4, "page flags that are not known: " + flags);
        }
        lastPage = number;
        if (flags == 0) {
            readLegacy(buffer, offset);
        } else {
            readBlock(buffer, offset);
        }
        frameBytes = in.position() - frameOffset;
        return number;
    }

    private void checkNumber(int number) {
        if (number <= 0 || number > header.commit()) {
            throw in.corrupt(
                    frameOffset,
                    "page " + Integer.toUnsignedString(number) + " of a database of " + header.commit() + " pages");
        }
        if (number == lockPage) {
            throw in.corrupt(frameOffset, "the lock page " + number);
        }
        if (number <= lastPage) {
            throw in.corrupt(frameOffset, "page " + number + " after page " + lastPage);
        }
        if (header.isSnapshot() && number != after(lastPage)) {
            throw in.corrupt(frameOffset, "page " + after(lastPage) + " is missing from a snapshot");
        }
    }

    private int after(int page) {
        return page + 1 == lockPage ? page + 2 : page + 1;
    }

    private void checkComplete() {
        int last = header.commit() == lockPage ? lockPage - 1 : header.commit();
        if (header.isSnapshot() && lastPage != last) {
            throw in.corrupt(frameOffset, "a snapshot of " + header.commit() + " pages ends at page " + lastPage);
        }
    }

    private void readBlock(byte[] buffer, int offset) throws IOException {
        in.readFully(fields, LtxEncoder.PAGE_HEADER_BYTES, Integer.BYTES);
        headerBytes = LtxEncoder.FRAME_HEADER_BYTES;
        int length = getInt(fields, LtxEncoder.PAGE_HEADER_BYTES);
        if (length <= 0 || length > largestBlock) {
            throw in.corrupt(
                    frameOffset + LtxEncoder.PAGE_HEADER_BYTES,
                    "a compressed page of " + Integer.toUnsignedString(length) + " bytes");
        }
        if (block.length == 0) {
            block = new byte[largestBlock];
        }
        in.readFully(block, 0, length);
        int decompressed;
        try {
            decompressed = resources.decompressor().decompress(block, 0, length, buffer, offset, header.pageSize());
        } catch (LZ4Exception invalid) {
            throw in.corrupt(frameOffset, "page " + lastPage + " cannot be decompressed");
        }
        checkLength(decompressed);
        if (!Lz4Block.endsWithoutMatch(block, length)) {
            throw in.corrupt(frameOffset, "page " + lastPage + " ends in a token that no compressor writes");
        }
    }

    private void checkLength(int decompressed) {
        if (decompressed != header.pageSize()) {
            throw in.corrupt(
                    frameOffset, "page " + lastPage + " has " + decompressed + " bytes, not " + header.pageSize());
        }
    }

    private void readLegacy(byte[] buffer, int offset) throws IOException {
        byte[] prefix = new byte[LZ4_FRAME_PREFIX_BYTES];
        in.readFully(prefix, 0, prefix.length);
        if (getInt(prefix, 0) != LZ4_FRAME_MAGIC || (prefix[FLG_OFFSET] & FLG_CONTENT_CHECKSUM) == 0) {
            throw in.corrupt(frameOffset, "not an LZ4 frame with a content checksum");
        }
        SourceFailure failure = new SourceFailure(in.asStream());
        InputStream bytes = new SequenceInputStream(new ByteArrayInputStream(prefix), failure);
        try (LZ4FrameInputStream frame = new LZ4FrameInputStream(
                bytes, resources.decompressor(), XXHashFactory.fastestInstance().hash32(), true)) {
            checkLength(frame.readNBytes(buffer, offset, header.pageSize()));
            if (frame.read() != -1) {
                throw in.corrupt(frameOffset, "page " + lastPage + " is longer than " + header.pageSize());
            }
        } catch (CorruptDataException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            failure.rethrow();
            throw in.corrupt(frameOffset, "page " + lastPage + " cannot be decompressed: " + e.getMessage());
        }
    }

    /** Tells the stream's own errors from those of what is in it. */
    private static final class SourceFailure extends InputStream {
        private final InputStream in;
        private IOException[] failure = new IOException[0];

        SourceFailure(InputStream in) {
            this.in = in;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            try {
                return in.read(target, offset, length);
            } catch (IOException e) {
                failure = new IOException[] {e};
                throw e;
            }
        }

        void rethrow() throws IOException {
            if (failure.length > 0) {
                throw failure[0];
            }
        }
    }

    static int getInt(byte[] bytes, int at) {
        return (bytes[at] & 0xFF) << 24
                | (bytes[at + 1] & 0xFF) << 16
                | (bytes[at + 2] & 0xFF) << 8
                | (bytes[at + 3] & 0xFF);
    }

    /** Copies the header bytes of the last frame, up to ten, and says how many there are. */
    int copyHeader(byte[] target, int offset) {
        System.arraycopy(fields, 0, target, offset, headerBytes);
        return headerBytes;
    }

    long frameOffset() {
        return frameOffset;
    }

    long frameBytes() {
        return frameBytes;
    }
}
