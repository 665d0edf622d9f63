package io.loomstream.engine.sync;

import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaFile;

/** Is told what a replica holds, in the uploading thread, in order; must return soon and never throw. */
public interface UploadListener {
    /** Nobody wants to know. */
    UploadListener NONE = new UploadListener() {
        @Override
        public void located(Txid newest) {}

        @Override
        public void stored(ReplicaFile file, long checksum) {}
    };

    /** The replica was asked where it stands; zero: it is empty. */
    void located(Txid newest);

    /**
     * A file came to the replica.
     *
     * @param checksum the file checksum in its trailer; 0 when that is not known
     */
    void stored(ReplicaFile file, long checksum);
}
