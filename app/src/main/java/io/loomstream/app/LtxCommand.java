package io.loomstream.app;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaFile;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/** Lists the LTX files of a replica. */
final class LtxCommand implements Command {
    @Override
    public Flags flags() {
        return Sources.withConfig(
                        Flags.of("ltx [flags] DB_PATH|REPLICA_URL", "Lists the LTX files that a replica holds."))
                .value("level", "0..9|all", "The compaction level; default: 0.")
                .onOff("json", "Print JSON.");
    }

    @Override
    public int run(Flags.Parsed words, PrintStream out, PrintStream err) throws UsageException, IOException {
        List<Level> levels = levels(words.value("level").orElse("0"));
        List<ReplicaFile> files = new ArrayList<>();
        try (Sources sources = new Sources()) {
            Sources.Source source = sources.source(words, "loomstream ltx /path/to/db", err);
            for (Level level : levels) {
                files.addAll(source.replica().list(level, Txid.ZERO));
            }
        }
        if (words.on("json")) {
            Json.print(out, json -> {
                json.writeStartArray();
                for (ReplicaFile file : files) {
                    json.writeStartObject();
                    json.writeNumberField("level", file.level().number());
                    json.writeStringField("min_txid", file.range().min().toString());
                    json.writeStringField("max_txid", file.range().max().toString());
                    json.writeNumberField("size", file.sizeBytes());
                    json.writeStringField("timestamp", Rfc3339.format(file.createdAt()));
                    json.writeEndObject();
                }
                json.writeEndArray();
            });
            return 0;
        }
        Table table = new Table("level", "min_txid", "max_txid", "size", "created");
        for (ReplicaFile file : files) {
            table.row(
                    Integer.toString(file.level().number()),
                    file.range().min().toString(),
                    file.range().max().toString(),
                    Long.toString(file.sizeBytes()),
                    Rfc3339.format(file.createdAt()));
        }
        table.print(out);
        return 0;
    }

    private static List<Level> levels(String text) throws UsageException {
        if (text.equals("all")) {
            List<Level> all = new ArrayList<>();
            for (int number = 0; number <= Level.SNAPSHOT.number(); number++) {
                all.add(new Level(number));
            }
            return all;
        }
        if (text.length() == 1 && text.charAt(0) >= '0' && text.charAt(0) <= '9') {
            return List.of(new Level(text.charAt(0) - '0'));
        }
        throw new UsageException(
                "invalid value \"" + text + "\" for flag -level: level must be between 0 and 9, or \"all\"");
    }
}
