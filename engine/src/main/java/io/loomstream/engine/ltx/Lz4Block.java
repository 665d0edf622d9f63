package io.loomstream.engine.ltx;

/** A look at an LZ4 block's structure (lz4_Block_format.md): sequences of a token, literals, and the distance of a match. */
final class Lz4Block {
    private static final int LONG_LENGTH = 15;
    private static final int OFFSET_BYTES = 2;

    private Lz4Block() {}

    /**
     * Whether the block's last token says nothing of a match, since the last sequence has none. Decompressors do not look at
     * those four bits and a file's checksum covers decompressed pages only, so nothing else notices when they change.
     *
     * @param length bytes of a block that can be decompressed
     */
    static boolean endsWithoutMatch(byte[] block, int length) {
        int at = 0;
        while (at < length) {
            int token = block[at++] & 0xFF;
            int literals = token >>> 4;
            if (literals == LONG_LENGTH) {
                int more;
                do {
                    if (at >= length) {
                        return false;
                    }
                    more = block[at++] & 0xFF;
                    literals += more;
                } while (more == 0xFF);
            }
            at += literals;
            if (at >= length) {
                return at == length && (token & 0xF) == 0;
            }
            at += OFFSET_BYTES;
            if ((token & 0xF) == LONG_LENGTH) {
                while (at < length && block[at] == (byte) 0xFF) {
                    at++;
                }
                at++;
            }
        }
        return false;
    }
}
