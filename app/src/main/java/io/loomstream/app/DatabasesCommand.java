package io.loomstream.app;

import io.loomstream.app.config.DatabaseConfig;
import io.loomstream.app.config.LoadedConfig;
import java.io.IOException;
import java.io.PrintStream;

/** Lists the databases of the configuration. */
final class DatabasesCommand implements Command {
    @Override
    public Flags flags() {
        return Sources.withConfig(Flags.of("databases [flags]", "Lists the databases of the configuration."))
                .onOff("json", "Print JSON.");
    }

    @Override
    public int run(Flags.Parsed words, PrintStream out, PrintStream err) throws UsageException, IOException {
        Sources.none(words.arguments());
        LoadedConfig loaded;
        try (Sources sources = new Sources()) {
            loaded = sources.config(words);
        }
        loaded.warnings().forEach(warning -> err.println("Warning: " + warning));
        if (words.on("json")) {
            Json.print(out, json -> {
                json.writeStartArray();
                for (DatabaseConfig database : loaded.config().databases()) {
                    json.writeStartObject();
                    json.writeStringField("path", database.options().path().toString());
                    json.writeStringField("replica", database.replica().type());
                    json.writeEndObject();
                }
                json.writeEndArray();
            });
            return 0;
        }
        Table table = new Table("path", "replica");
        for (DatabaseConfig database : loaded.config().databases()) {
            table.row(database.options().path().toString(), database.replica().type());
        }
        table.print(out);
        return 0;
    }
}
