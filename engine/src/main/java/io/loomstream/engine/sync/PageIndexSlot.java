package io.loomstream.engine.sync;

import io.loomstream.engine.ltx.Txid;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * One of the two headers of a page index: which state its entries describe, and what they add up to if they do.
 * docs/formats.md describes the bytes.
 *
 * @param commitPages how many entries count
 * @param ltxChecksum file checksum of the L0 file that made this state, which binds the entries to it
 * @param sumLow what the first halves of the entries add up to, modulo 2^64
 * @param sumHigh the second halves
 */
record PageIndexSlot(
        PageHash.Key key, Txid txid, int pageSize, int commitPages, long ltxChecksum, long sumLow, long sumHigh) {
    static final int SIZE_BYTES = 64;

    private static final int MAGIC = 0x4C4D5031; // "LMP1"

    /** Whether the entries, if they add up, are the state that a cursor stands for. */
    boolean describes(Cursor cursor) {
        return txid.equals(cursor.txid())
                && pageSize == cursor.pageSize()
                && commitPages == cursor.commitPages()
                && ltxChecksum == cursor.ltxChecksum();
    }

    byte[] encode() {
        ByteBuffer slot = ByteBuffer.allocate(SIZE_BYTES);
        slot.putInt(MAGIC).putLong(key.low()).putLong(key.high());
        slot.putLong(txid.value()).putInt(pageSize).putInt(commitPages).putLong(ltxChecksum);
        slot.putLong(sumLow).putLong(sumHigh);
        slot.putInt(crc(slot.array()));
        return slot.array();
    }

    static Optional<PageIndexSlot> parse(byte[] bytes) {
        ByteBuffer slot = ByteBuffer.wrap(bytes);
        if (slot.getInt(SIZE_BYTES - Integer.BYTES) != crc(bytes) || slot.getInt() != MAGIC) {
            return Optional.empty();
        }
        return Optional.of(new PageIndexSlot(
                new PageHash.Key(slot.getLong(), slot.getLong()),
                new Txid(slot.getLong()),
                slot.getInt(),
                slot.getInt(),
                slot.getLong(),
                slot.getLong(),
                slot.getLong()));
    }

    private static int crc(byte[] slot) {
        CRC32C crc = new CRC32C();
        crc.update(slot, 0, SIZE_BYTES - Integer.BYTES);
        return (int) crc.getValue();
    }
}
