package io.loomstream.app;

import io.loomstream.app.config.DatabaseConfig;
import io.loomstream.app.config.LoadedConfig;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Lists the databases of the configuration, those included that its directories and patterns find now; opens none. */
final class DatabasesCommand implements Command {
    @Override
    public Flags flags() {
        return Sources.withConfig(Flags.of("databases [flags]", "Lists the databases of the configuration."))
                .onOff("json", "Print JSON.");
    }

    @Override
    public int run(Flags.Parsed words, PrintStream out, PrintStream err)
            throws UsageException, IOException, InterruptedException {
        Sources.none(words.arguments());
        LoadedConfig loaded;
        try (Sources sources = new Sources()) {
            loaded = sources.config(words);
        }
        loaded.warnings().forEach(warning -> err.println("Warning: " + warning));
        List<DatabaseConfig> databases = new ArrayList<>();
        Workloads.each(loaded.config(), new Workloads.Visitor() {
            @Override
            public void database(DatabaseConfig database) {
                databases.add(database);
            }

            @Override
            public void refused(Path path, String why) {
                err.println("Warning: " + path + " is not replicated: " + why);
            }
        });
        if (words.on("json")) {
            Json.print(out, json -> {
                json.writeStartArray();
                for (DatabaseConfig database : databases) {
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
        for (DatabaseConfig database : databases) {
            table.row(database.options().path().toString(), database.replica().type());
        }
        table.print(out);
        return 0;
    }
}
