package io.loomstream.engine.follow;

import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileSteps;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * What a follower keeps beside its database (docs/formats.md):
 *
 * <ul>
 *   <li>{@code <name>-txid}, as Litestream writes it: 16 hexadecimal digits and a line feed. It may be one step behind.
 *   <li>{@code <name>-follow}, ours: the position before the last step and the one after it, written before the step's
 *       commit. The database's own change counter says which of them holds, so the two files need not change at the same
 *       moment.
 * </ul>
 */
final class FollowState {
    private static final String FIRST_LINE = "loomstream follow 1";
    private static final HexFormat HEX = HexFormat.of();

    private final Path database;
    private final FileSteps steps;

    FollowState(Path database, FileSteps steps) {
        this.database = database;
        this.steps = steps;
    }

    /** Two positions, of which the database is at one. */
    record Step(Position before, Position after) {}

    /** TXID of the sidecar; empty when there is none. */
    Optional<Txid> txid() throws IOException {
        Optional<String> text = read(txidFile());
        try {
            return text.map(String::strip).map(Txid::parse).filter(txid -> !txid.isZero());
        } catch (IllegalArgumentException e) {
            throw new CorruptDataException(txidFile().toString(), 0, "not a TXID", e);
        }
    }

    /** Our own file; empty when there is none or it was damaged, which leaves the sidecar to say it. */
    Optional<Step> step() throws IOException {
        Optional<String> text = read(stepFile());
        if (text.isEmpty()) {
            return Optional.empty();
        }
        List<String> lines = text.get().lines().toList();
        if (lines.size() != 4
                || !lines.get(0).equals(FIRST_LINE)
                || !lines.get(3).equals(checkLine(lines.get(1), lines.get(2)))) {
            return Optional.empty();
        }
        return Optional.of(new Step(parse(lines.get(1)), parse(lines.get(2))));
    }

    void writeTxid(Txid txid) throws IOException {
        replace(txidFile(), txid + "\n", true);
    }

    /**
     * Durable but for its name, which the caller makes durable with the directory.
     */
    void writeStep(Step step) throws IOException {
        String before = format(step.before());
        String after = format(step.after());
        replace(stepFile(), String.join("\n", FIRST_LINE, before, after, checkLine(before, after)) + "\n", false);
    }

    private static String format(Position position) {
        String applied = position.applied()
                .map(file -> " " + file.level() + " " + file.range() + " " + HEX.toHexDigits(file.fileChecksum()))
                .orElse("");
        return position.txid() + " " + HEX.toHexDigits(position.changeCounter()) + applied;
    }

    private static Position parse(String line) {
        String[] words = line.split(" ", -1);
        Optional<Position.Applied> applied = words.length < 5
                ? Optional.empty()
                : TxidRange.parseFileName(words[3] + ".ltx")
                        .map(range -> new Position.Applied(
                                new Level(Integer.parseInt(words[2])), range, HexFormat.fromHexDigitsToLong(words[4])));
        return new Position(Txid.parse(words[0]), HexFormat.fromHexDigits(words[1]), applied);
    }

    private static String checkLine(String before, String after) {
        CRC32C crc = new CRC32C();
        crc.update((before + "\n" + after).getBytes(StandardCharsets.US_ASCII));
        return HEX.toHexDigits((int) crc.getValue());
    }

    private static Optional<String> read(Path file) throws IOException {
        try {
            return Optional.of(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1));
        } catch (NoSuchFileException absent) {
            return Optional.empty();
        }
    }

    private void replace(Path file, String text, boolean nameToo) throws IOException {
        Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
        steps.delete(temporary);
        try (FileChannel channel = steps.create(temporary, FileAccess.PRIVATE.files())) {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            steps.force(channel);
        }
        steps.rename(temporary, file);
        if (nameToo) {
            steps.forceDirectory(directory());
        }
    }

    Path directory() {
        Path parent = database.getParent();
        return parent == null ? Path.of("") : parent;
    }

    private Path txidFile() {
        return database.resolveSibling(database.getFileName() + "-txid");
    }

    private Path stepFile() {
        return database.resolveSibling(database.getFileName() + "-follow");
    }
}
