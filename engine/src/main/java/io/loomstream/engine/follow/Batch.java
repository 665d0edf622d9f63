package io.loomstream.engine.follow;

import io.loomstream.engine.ltx.Txid;
import java.util.BitSet;
import java.util.List;

/**
 * Files that are applied in one step.
 *
 * @param files in order of application, at least one
 * @param pages every page that one of them holds
 */
record Batch(List<StagedFile> files, BitSet pages) {
    Batch {
        files = List.copyOf(files);
    }

    StagedFile last() {
        return files.getLast();
    }

    long commitPages() {
        return last().commitPages();
    }

    Txid reached() {
        return last().file().range().max();
    }
}
