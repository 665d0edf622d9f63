package io.loomstream.app.config;

import io.loomstream.admin.AdminOptions;
import java.util.Optional;

/**
 * What is served over HTTP.
 *
 * @param admin the admin API; empty to serve none
 * @param metrics where Litestream's {@code addr} shows the metrics to everybody; empty for nowhere
 * @param projectsMax so many projects have series of their own, the others count as one
 */
public record ServingConfig(Optional<AdminOptions> admin, Optional<Address> metrics, int projectsMax) {
    static final int DEFAULT_PROJECTS_MAX = 500;
    static final ServingConfig NONE = new ServingConfig(Optional.empty(), Optional.empty(), DEFAULT_PROJECTS_MAX);

    /**
     * Where to listen.
     *
     * @param host empty for all addresses
     * @param port 0 for any free one
     */
    public record Address(String host, int port) {
        /**
         * Reads {@code host:port}, {@code [IPv6]:port} or {@code :port}.
         *
         * @throws IllegalArgumentException when it is none of them
         */
        static Address parse(String text) {
            int colon = text.lastIndexOf(':');
            if (colon < 0) {
                throw new IllegalArgumentException("must contain a port, as in 127.0.0.1:9090");
            }
            String host = text.substring(0, colon);
            if (host.startsWith("[") && host.endsWith("]")) {
                host = host.substring(1, host.length() - 1);
            } else if (host.indexOf(':') >= 0) {
                throw new IllegalArgumentException("an IPv6 address must stand in brackets, as in [::1]:9090");
            }
            try {
                int port = Integer.parseInt(text.substring(colon + 1));
                if (port >= 0 && port <= 65_535) {
                    return new Address(host, port);
                }
            } catch (NumberFormatException notOne) {
                // said below
            }
            throw new IllegalArgumentException("the port must be a number from 0 to 65535");
        }
    }
}
