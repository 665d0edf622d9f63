package io.loomstream.engine.ltx;

import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.error.UnsupportedDatabaseException;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Makes one LTX file of several that follow each other: of every page the latest, of the header the first one's start and
 * the last one's end. Applying the result is the same as applying the inputs in order.
 *
 * <p>Inputs follow each other when they have the same page size, no TXID is missing between two of them and each ends
 * after the one before; they may overlap, since the later one then knows better. An input that makes the database longer
 * must hold every page it adds: none before it can have had them, and one that was cut off earlier must not come back.
 * Beyond Litestream's own rules this is what makes the result the same however the inputs are grouped.
 *
 * <p>Every input is read to its end and its checksum verified before the output is finished, so an output without an
 * exception is one of verified inputs. Memory is a page and a read buffer for each open input, besides what
 * {@link LtxEncoder} takes. At most a given number of inputs is open at once; of more, the newest are merged first, in
 * groups, by way of a {@link Spool}: the oldest, which tends to be by far the largest, is read only once.
 *
 * <p>Thread-safe when the spool is. Blocks; interruptible between pages.
 */
public final class Compactor {
    private final CodecResources resources;
    private final int openInputsMax;
    private final Spool spool;

    /**
     * Makes a compactor.
     *
     * @param openInputsMax how many inputs may be open at once, at least 2
     * @param spool where intermediate results go when there are more inputs
     */
    public Compactor(CodecResources resources, int openInputsMax, Spool spool) {
        if (openInputsMax < 2) {
            throw new IllegalArgumentException("merging takes two open inputs, not " + openInputsMax);
        }
        this.resources = resources;
        this.openInputsMax = openInputsMax;
        this.spool = spool;
    }

    /**
     * An LTX file to read.
     *
     * @param name names the file in errors
     * @param opener called once for each compaction
     */
    public record Input(String name, Opener opener) {}

    /** Opens a file at its beginning. */
    @FunctionalInterface
    public interface Opener {
        InputStream open() throws IOException;
    }

    /** Room for intermediate results, files usually. */
    @FunctionalInterface
    public interface Spool {
        Piece create() throws IOException;

        /** One intermediate result: written once, then read once, then closed, which gives its room back. */
        interface Piece extends Closeable {
            /** The compactor closes the stream before it reads. */
            OutputStream write() throws IOException;

            InputStream read() throws IOException;
        }
    }

    /**
     * What was written.
     *
     * @param pages how many pages it holds
     */
    public record Compacted(LtxHeader header, LtxTrailer trailer, int pages) {}

    /**
     * Merges files.
     *
     * @param inputs in order of their TXIDs, at least one
     * @param out takes the LTX file, which is worth nothing unless this returns; is not closed
     * @throws CorruptDataException when an input is not valid or does not follow the one before; names it
     * @throws UnsupportedDatabaseException when an input tracks rolling checksums, which no output of ours can carry on
     * @throws IOException when a stream, an opener or the spool fails
     */
    public Compacted compact(List<Input> inputs, OutputStream out) throws IOException, InterruptedException {
        if (inputs.isEmpty()) {
            throw new IllegalArgumentException("nothing to compact");
        }
        return new Compaction().run(inputs, out);
    }

    /** One call of {@link #compact}. */
    private final class Compaction {
        private final List<Spool.Piece> pieces = new ArrayList<>();

        Compacted run(List<Input> inputs, OutputStream out) throws IOException, InterruptedException {
            Throwable failure = null;
            try {
                List<MergePart> parts = inputs.stream()
                        .map(input -> new MergePart(input, null, null))
                        .toList();
                while (parts.size() > openInputsMax) {
                    parts = narrow(parts);
                }
                return new Merge(resources, out).run(parts).compacted();
            } catch (IOException | InterruptedException | RuntimeException | Error e) {
                failure = e;
                throw e;
            } finally {
                CloseAll.close(pieces, failure);
            }
        }

        /** Replaces groups of parts, from the newest on, by what they make, but not more than it takes. */
        private List<MergePart> narrow(List<MergePart> parts) throws IOException, InterruptedException {
            Deque<MergePart> narrowed = new ArrayDeque<>();
            int total = parts.size();
            int left = total;
            while (left > 0) {
                int group = Math.min(left, Math.min(openInputsMax, total - openInputsMax + 1));
                List<MergePart> members = parts.subList(left - group, left);
                narrowed.addFirst(group == 1 ? members.getFirst() : spooled(members));
                left -= group;
                total -= group - 1;
            }
            return List.copyOf(narrowed);
        }

        private MergePart spooled(List<MergePart> members) throws IOException, InterruptedException {
            Spool.Piece piece = spool.create();
            pieces.add(piece);
            Merge.Outcome outcome;
            try (OutputStream out = piece.write()) {
                outcome = new Merge(resources, out).run(members);
            }
            for (MergePart member : members) {
                Spool.Piece read = member.piece();
                if (read != null) {
                    pieces.remove(read);
                    read.close();
                }
            }
            String name = members.getFirst().input().name() + " to "
                    + members.getLast().input().name();
            return new MergePart(new Input(name, piece::read), piece, outcome.firstMax());
        }
    }
}
