package io.loomstream.app;

import io.loomstream.admin.AdminOptions;
import io.loomstream.admin.AdminServer;
import io.loomstream.admin.AdminSources;
import io.loomstream.admin.metrics.Metrics;
import io.loomstream.app.config.ServerConfig;
import io.loomstream.app.config.ServingConfig;
import io.loomstream.engine.fleet.FleetControl;
import io.loomstream.engine.fleet.Replication;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.LoggerFactory;

/** The HTTP servers that a configuration asks for. Their library is loaded only when there is one. */
final class Serving implements AutoCloseable {
    private final List<AdminServer> servers = new ArrayList<>();

    private Serving() {}

    /**
     * Starts them.
     *
     * @throws IOException when an address cannot be listened on, or TLS cannot be set up
     */
    static Serving start(ServerConfig config, Path stateDirectory, Sources sources, Replication replication)
            throws IOException {
        Serving serving = new Serving();
        ServingConfig wanted = config.serving();
        if (wanted.admin().isEmpty() && wanted.metrics().isEmpty()) {
            return serving;
        }
        FleetControl control = replication.control(wanted.projectsMax());
        Metrics metrics = new Metrics(control, config.multiDb().isEmpty(), sources::s3);
        try {
            if (wanted.admin().isPresent()) {
                AdminSources shown = new AdminSources(
                        control,
                        sources::s3,
                        EffectiveConfig.sections(config, stateDirectory),
                        VersionCommand.version());
                serving.startAdmin(wanted.admin().get(), shown, metrics);
            }
            if (wanted.metrics().isPresent()) {
                ServingConfig.Address address = wanted.metrics().get();
                serving.servers.add(AdminServer.startMetricsOnly(address.host(), address.port(), metrics));
            }
        } catch (IOException e) {
            serving.close();
            throw e;
        }
        return serving;
    }

    /** Nobody asked for the default address: that it is taken must not keep databases from being replicated. */
    private void startAdmin(AdminOptions options, AdminSources shown, Metrics metrics) throws IOException {
        try {
            servers.add(AdminServer.start(options, shown, metrics));
        } catch (IOException taken) {
            if (!options.equals(AdminOptions.DEFAULTS)) {
                throw taken;
            }
            LoggerFactory.getLogger(Serving.class)
                    .atWarn()
                    .addKeyValue("error", taken.getMessage())
                    .log("no admin API; give it another address with admin.addr, or turn it off with \"off\"");
        }
    }

    @Override
    public void close() {
        servers.forEach(AdminServer::close);
    }
}
