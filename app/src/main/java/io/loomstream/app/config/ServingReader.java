package io.loomstream.app.config;

import io.loomstream.admin.AdminOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads {@code admin}, {@code metrics} and Litestream's {@code addr}. */
final class ServingReader {
    private static final String TOKEN = "token";
    private static final String TOKEN_FILE = "token-file";
    private static final String OFF = "off";

    private final Environment environment;

    ServingReader(Environment environment) {
        this.environment = environment;
    }

    /** @param multiDb whether {@code multi-db} is enabled, which serves the admin API unless told otherwise */
    ServingConfig read(Fields top, boolean multiDb) throws ConfigException {
        Optional<ServingConfig.Address> metrics = top.parsed("addr", ServingConfig.Address::parse);
        int projectsMax = ServingConfig.DEFAULT_PROJECTS_MAX;
        Optional<Fields> section = top.mapping("metrics");
        if (section.isPresent()) {
            section.get().check(KnownKeys.METRICS);
            projectsMax = (int) section.get().integer("max-projects", projectsMax, 1, 100_000);
        }
        return new ServingConfig(admin(top, multiDb), metrics, projectsMax);
    }

    private Optional<AdminOptions> admin(Fields top, boolean multiDb) throws ConfigException {
        Optional<Fields> section = top.mapping("admin");
        if (section.isEmpty()) {
            return multiDb ? Optional.of(AdminOptions.DEFAULTS) : Optional.empty();
        }
        Fields fields = section.get();
        fields.check(KnownKeys.ADMIN);
        Optional<String> addr = fields.text("addr");
        // YAML 1.1 knows "off" as a word for false.
        if (addr.isPresent() && (addr.get().equals(OFF) || addr.get().equals("false"))) {
            return Optional.empty();
        }
        if (addr.isEmpty() && !multiDb) {
            return Optional.empty();
        }
        ServingConfig.Address address = fields.parsed("addr", ServingConfig.Address::parse)
                .orElse(new ServingConfig.Address(AdminOptions.DEFAULTS.host(), AdminOptions.DEFAULT_PORT));
        try {
            return Optional.of(new AdminOptions(
                    address.host(),
                    address.port(),
                    token(fields),
                    fields.bool("metrics-public", false),
                    tls(fields),
                    hosts(fields),
                    fields.parsed("restore-dir", environment::path)));
        } catch (IllegalArgumentException open) {
            throw fields.error(
                    "addr",
                    "without a token only a loopback address may be bound, or everybody could"
                            + " reach it; set token or token-file",
                    addr.orElse(""));
        }
    }

    private Optional<String> token(Fields fields) throws ConfigException {
        Optional<String> token = fields.text(TOKEN);
        Optional<Path> file = fields.parsed(TOKEN_FILE, environment::path);
        if (token.isPresent() && file.isPresent()) {
            throw fields.error(TOKEN_FILE, "cannot be given beside token");
        }
        if (file.isEmpty()) {
            return token;
        }
        try {
            String text = Files.readString(file.get()).strip();
            if (text.isEmpty()) {
                throw fields.error(TOKEN_FILE, "the file is empty", file.get().toString());
            }
            return Optional.of(text);
        } catch (IOException e) {
            throw fields.error(TOKEN_FILE, "cannot be read", file.get().toString());
        }
    }

    private Optional<AdminOptions.Tls> tls(Fields fields) throws ConfigException {
        Optional<Fields> section = fields.mapping("tls");
        if (section.isEmpty()) {
            return Optional.empty();
        }
        section.get().check(KnownKeys.ADMIN_TLS);
        Optional<Path> certificate = section.get().parsed("cert", environment::path);
        Optional<Path> key = section.get().parsed("key", environment::path);
        if (certificate.isEmpty() || key.isEmpty()) {
            throw fields.error("tls", "needs both cert and key");
        }
        return Optional.of(new AdminOptions.Tls(certificate.get(), key.get()));
    }

    private static List<String> hosts(Fields fields) throws ConfigException {
        List<String> hosts = new ArrayList<>();
        Optional<Node.Sequence> list = fields.sequence("hosts");
        if (list.isPresent()) {
            for (Node item : list.get().items()) {
                if (!(item instanceof Node.Scalar scalar) || scalar.text().isEmpty()) {
                    throw fields.error("hosts", "must be a list of names", item.shown());
                }
                hosts.add(scalar.text());
            }
        }
        return hosts;
    }
}
