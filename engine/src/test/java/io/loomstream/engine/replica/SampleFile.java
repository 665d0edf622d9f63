package io.loomstream.engine.replica;

import io.loomstream.engine.ltx.TxidRange;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Random;

/** Bytes that a replica takes for an LTX file: a true header, then noise. */
public final class SampleFile {
    private SampleFile() {}

    public static byte[] bytes(TxidRange range, Instant createdAt, int sizeBytes, long seed) {
        byte[] bytes = new byte[sizeBytes];
        new Random(seed).nextBytes(bytes);
        ByteBuffer header = ByteBuffer.wrap(bytes);
        header.put("LTX1".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        header.putLong(16, range.min().value());
        header.putLong(24, range.max().value());
        header.putLong(32, createdAt.toEpochMilli());
        return bytes;
    }
}
