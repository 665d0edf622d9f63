package io.loomstream.engine.wal;

import java.util.HexFormat;

/** The two salts of a WAL header; every frame of the same WAL generation repeats them. */
public record WalSalts(int salt1, int salt2) {
    public static final WalSalts NONE = new WalSalts(0, 0);

    @Override
    public String toString() {
        return HexFormat.of().toHexDigits(salt1) + HexFormat.of().toHexDigits(salt2);
    }
}
