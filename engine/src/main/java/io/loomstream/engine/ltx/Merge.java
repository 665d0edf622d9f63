package io.loomstream.engine.ltx;

import io.loomstream.engine.wal.WalSalts;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * One pass over files that are all open: the lowest page number among them comes next, of the files that have it the newest
 * one's. For one thread, one use.
 */
final class Merge {
    private static final Comparator<MergeInput> LOWEST_PAGE_THEN_NEWEST = Comparator.comparingInt(MergeInput::page)
            .thenComparing(Comparator.comparingInt(MergeInput::order).reversed());

    private final CodecResources resources;
    private final OutputStream out;
    private final List<MergeInput> inputs = new ArrayList<>();

    Merge(CodecResources resources, OutputStream out) {
        this.resources = resources;
        this.out = out;
    }

    /**
     * What a merge made.
     *
     * @param firstMax where the first of all inputs ends
     */
    record Outcome(Compactor.Compacted compacted, Txid firstMax) {}

    Outcome run(List<MergePart> parts) throws IOException, InterruptedException {
        Throwable failure = null;
        try {
            for (MergePart part : parts) {
                inputs.add(MergeInput.open(part, inputs.isEmpty() ? null : inputs.getLast(), resources));
            }
            return new Outcome(merge(), inputs.getFirst().firstMax());
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            failure = e;
            throw e;
        } finally {
            CloseAll.close(inputs, failure);
        }
    }

    private LtxHeader header() {
        LtxHeader first = inputs.getFirst().header();
        LtxHeader last = inputs.getLast().header();
        TxidRange range = new TxidRange(first.range().min(), last.range().max());
        return LtxHeader.of(first.pageSize(), last.commit(), range, last.timestampMillis(), 0, 0, WalSalts.NONE);
    }

    private Compactor.Compacted merge() throws IOException, InterruptedException {
        LtxHeader header = header();
        try (LtxEncoder encoder = new LtxEncoder(out, header, resources)) {
            PriorityQueue<MergeInput> heads = new PriorityQueue<>(LOWEST_PAGE_THEN_NEWEST);
            for (MergeInput input : inputs) {
                advance(input, heads);
            }
            int pages = 0;
            while (true) {
                MergeInput newest = heads.poll();
                if (newest == null) {
                    // Every input has been read to its end and verified.
                    return new Compactor.Compacted(header, encoder.finish(), pages);
                }
                int page = newest.page();
                // Above the last input's size: cut off later. Read on all the same, the checksum is at the end.
                if (page <= header.commit()) {
                    encoder.page(page, newest.buffer(), 0);
                    pages++;
                }
                advance(newest, heads);
                skip(page, heads);
            }
        }
    }

    /** Passes over the older copies of a page. */
    private static void skip(int page, PriorityQueue<MergeInput> heads) throws IOException, InterruptedException {
        for (MergeInput head = heads.peek(); head != null && head.page() == page; head = heads.peek()) {
            advance(heads.remove(), heads);
        }
    }

    private static void advance(MergeInput input, PriorityQueue<MergeInput> heads)
            throws IOException, InterruptedException {
        if (input.advance()) {
            heads.add(input);
        }
    }
}
