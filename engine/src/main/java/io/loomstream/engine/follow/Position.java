package io.loomstream.engine.follow;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import java.util.Optional;

/**
 * Where a follower's database stands.
 *
 * @param changeCounter bytes 24 to 27 of the database at that TXID; picked at random, so it tells the states apart
 * @param applied the file that led there, where known
 */
record Position(Txid txid, int changeCounter, Optional<Applied> applied) {
    /** One applied file, and the checksum in its trailer: what a file under the same name must have. */
    record Applied(Level level, TxidRange range, long fileChecksum) {}
}
