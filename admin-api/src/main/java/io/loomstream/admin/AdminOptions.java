package io.loomstream.admin;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * How the admin API listens.
 *
 * @param host the address to bind to; empty for all addresses
 * @param port 0 for any free one
 * @param token what callers have to show; empty to ask for nothing, which only a loopback address allows
 * @param metricsPublic whether {@code /metrics}, {@code /health} and {@code /ready} need no token
 * @param tls a certificate and its key; empty for plain HTTP
 * @param hosts names under which it is reached, besides localhost and IP addresses
 * @param restoreDirectory below which databases may be restored to; empty when nobody may restore
 */
public record AdminOptions(
        String host,
        int port,
        Optional<String> token,
        boolean metricsPublic,
        Optional<Tls> tls,
        List<String> hosts,
        Optional<Path> restoreDirectory) {
    public static final int DEFAULT_PORT = 8080;

    /** On this machine only, without a token. */
    public static final AdminOptions DEFAULTS =
            new AdminOptions("127.0.0.1", DEFAULT_PORT, Optional.empty(), false, Optional.empty(), List.of());

    /** PEM files: the certificate with those that vouch for it, and its unencrypted PKCS #8 key. */
    public record Tls(Path certificate, Path key) {}

    /**
     * Checks them.
     *
     * @throws IllegalArgumentException when anybody could reach it without a token
     */
    public AdminOptions {
        hosts = List.copyOf(hosts);
        if (token.isEmpty() && !isLoopback(host)) {
            throw new IllegalArgumentException("admin.addr: without admin.token or admin.token-file only a loopback"
                    + " address may be bound, such as 127.0.0.1:" + DEFAULT_PORT + " (got " + shown(host, port) + ")");
        }
    }

    /** Without a place to restore to. */
    public AdminOptions(
            String host,
            int port,
            Optional<String> token,
            boolean metricsPublic,
            Optional<Tls> tls,
            List<String> hosts) {
        this(host, port, token, metricsPublic, tls, hosts, Optional.empty());
    }

    public AdminOptions withPort(int other) {
        return new AdminOptions(host, other, token, metricsPublic, tls, hosts, restoreDirectory);
    }

    public AdminOptions withRestoreDirectory(Path directory) {
        return new AdminOptions(host, port, token, metricsPublic, tls, hosts, Optional.of(directory));
    }

    private static String shown(String host, int port) {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }

    /** A name that cannot be resolved is none of this machine's. */
    static boolean isLoopback(String host) {
        try {
            return !host.isEmpty() && InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }

    /** Never says the token. */
    @Override
    public String toString() {
        return shown(host, port) + (token.isPresent() ? " with a token" : "") + (tls.isPresent() ? " over TLS" : "");
    }
}
