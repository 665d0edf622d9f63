package io.loomstream.engine.wal;

import io.loomstream.engine.wal.WalReader.Outcome;
import java.io.IOException;
import java.util.Arrays;

/** A WAL in memory, and what a reader makes of it. */
final class WalBytes implements WalSource {
    private final byte[] bytes;

    WalBytes(byte[] bytes) {
        this.bytes = bytes;
    }

    @Override
    public int read(long positionBytes, byte[] buffer, int offset, int length) {
        if (positionBytes < 0) {
            throw new IllegalArgumentException("read at " + positionBytes);
        }
        int n = Math.clamp(bytes.length - positionBytes, 0, length);
        System.arraycopy(bytes, (int) Math.min(positionBytes, bytes.length), buffer, offset, n);
        return n;
    }

    WalHeader header() {
        return WalHeader.parse(Arrays.copyOf(bytes, Math.min(bytes.length, WalHeader.SIZE_BYTES)))
                .orElseThrow();
    }

    static WalPosition start(WalHeader header) {
        return new WalPosition(0, header.checksum());
    }

    /** As SQLite recovers it. */
    WalBatch recovered() throws IOException {
        return (WalBatch) WalReader.read(this, header(), start(header()), WalReader.TO_THE_END, 0);
    }

    Outcome upTo(int lastFrame) throws IOException {
        return WalReader.read(this, header(), start(header()), lastFrame, 0);
    }

    /** The database that this WAL makes of a database file. */
    byte[] appliedTo(byte[] database) throws IOException {
        boolean valid = WalHeader.parse(Arrays.copyOf(bytes, Math.min(bytes.length, WalHeader.SIZE_BYTES)))
                .isPresent();
        if (!valid || recovered().lastFrame() == 0) {
            return database;
        }
        WalBatch batch = recovered();
        int pageSize = header().pageSize();
        byte[] image = Arrays.copyOf(database, batch.commitPages() * pageSize);
        for (int page : batch.pages().pageNumbersSorted()) {
            long at = header().pageOffset(batch.pages().frameOf(page));
            System.arraycopy(bytes, (int) at, image, (page - 1) * pageSize, pageSize);
        }
        return image;
    }
}
