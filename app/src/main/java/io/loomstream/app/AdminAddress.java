package io.loomstream.app;

import io.loomstream.admin.AdminOptions;
import java.net.URI;
import java.net.URISyntaxException;

/** Where the admin API of a running server is asked. */
final class AdminAddress {
    private AdminAddress() {}

    /** Where a server with these options is reached from its own host. */
    static URI of(AdminOptions admin) throws UsageException {
        String host = admin.host();
        if (host.isEmpty() || host.equals("0.0.0.0")) {
            host = "127.0.0.1";
        } else if (host.equals("::")) {
            host = "::1";
        }
        String bracketed = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
        return parse(bracketed + ":" + admin.port(), admin.tls().isPresent());
    }

    /**
     * What a person wrote.
     *
     * @param tls whether an address without a scheme is one of TLS
     */
    static URI parse(String text, boolean tls) throws UsageException {
        String local = text.startsWith(":") ? "127.0.0.1" + text : text;
        String url = local.contains("://") ? local : (tls ? "https://" : "http://") + local;
        try {
            URI uri = new URI(url);
            boolean usable = ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))
                    && uri.getHost() != null
                    && uri.getUserInfo() == null
                    && (uri.getPath().isEmpty() || uri.getPath().equals("/"))
                    && uri.getQuery() == null;
            if (usable && (uri.getPort() > 0 || local.contains("://"))) {
                return uri;
            }
        } catch (URISyntaxException notOne) {
            // said below
        }
        throw new UsageException("invalid value for flag -addr: must be host:port, or a URL such as https://host:8080");
    }
}
