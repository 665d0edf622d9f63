package io.loomstream.engine.restore;

import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaFile;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The files whose pages, applied one after the other, make the database at one point.
 *
 * @param files in order of application; the first starts at TXID 1, each other at most one after its predecessor's end
 * @param hole for a target in time: where the history breaks off although later files before that time exist
 */
public record RestorePlan(Target target, List<ReplicaFile> files, Optional<Hole> hole) {
    public RestorePlan {
        if (files.isEmpty()) {
            throw new IllegalArgumentException("a plan needs a file");
        }
        files = List.copyOf(files);
    }

    /** TXIDs that no file holds. */
    public record Hole(Txid first, Txid last) {
        @Override
        public String toString() {
            return "TXIDs " + first + " to " + last + " are missing";
        }
    }

    /** The TXID that the restored database stands at. */
    public Txid reached() {
        return files.getLast().range().max();
    }

    /** When the restored state was recorded. */
    public Instant reachedAt() {
        return files.getLast().createdAt();
    }

    public long totalBytes() {
        return files.stream().mapToLong(ReplicaFile::sizeBytes).sum();
    }
}
