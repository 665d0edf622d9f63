package io.loomstream.engine.wal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/** What a writer leaves that is killed, or sleeps, between its commit frame and the wal-index. */
public final class UnpublishedCommit {
    private UnpublishedCommit() {}

    /** Appends the last frame of a WAL once more, with the checksum it has there. */
    public static void append(Path wal) throws IOException {
        byte[] bytes = Files.readAllBytes(wal);
        WalHeader header =
                WalHeader.parse(Arrays.copyOf(bytes, WalHeader.SIZE_BYTES)).orElseThrow();
        int frameBytes = header.frameSizeBytes();
        byte[] frame = Arrays.copyOfRange(bytes, bytes.length - frameBytes, bytes.length);
        ByteBuffer fields = ByteBuffer.wrap(frame);
        WalChecksum sum =
                new WalChecksum(header.bigEndianChecksums(), new FrameChecksum(fields.getInt(16), fields.getInt(20)));
        sum.add(frame, 0, 8);
        sum.add(frame, WalHeader.FRAME_HEADER_BYTES, header.pageSize());
        fields.putInt(16, sum.value().s1()).putInt(20, sum.value().s2());
        Files.write(wal, frame, StandardOpenOption.APPEND);
    }
}
