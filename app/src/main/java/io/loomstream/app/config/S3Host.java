package io.loomstream.app.config;

import io.loomstream.engine.replica.s3.S3Provider;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the host of an {@code s3} URL says, by Litestream's rules with their gaps filled.
 *
 * <p>A plain host is the bucket. Hosts of the providers below, and any host with a port, are a store; the bucket is what
 * stands before the store's host, or the first element of the path where nothing does. A host with a port gives no clue
 * where a bucket's name would end: it is the part before the first dot, unless the host is an IP address, a single name or
 * one of the private names below.
 *
 * @param bucket empty: the first element of the URL's path
 * @param values what else the host says, by the names of the keys in YAML
 */
record S3Host(String bucket, Map<String, String> values) {
    static final String BUCKET = "bucket";
    static final String REGION = "region";
    static final String ENDPOINT = "endpoint";
    static final String PATH_STYLE = "force-path-style";

    private static final Pattern WITH_PORT = Pattern.compile("(\\[[0-9a-fA-F:.]+\\]|[^:\\[\\]]+):([0-9]{1,5})");
    private static final Pattern IP = Pattern.compile("\\[.*\\]|[0-9]{1,3}(?:\\.[0-9]{1,3}){3}");

    /** Names as home networks, Docker and Kubernetes give them: a bucket before one makes it a label longer. */
    private static final Pattern PRIVATE_NAME =
            Pattern.compile("[^.]+\\.(?:local|lan|internal|home|intranet|corp)|host\\.docker\\.internal"
                    + "|[^.]+\\.[^.]+\\.svc(?:\\.cluster\\.local)?");

    private static final Pattern AWS =
            Pattern.compile("(?:(.+)\\.)?s3(?:[.-]([a-z0-9-]+))?\\.amazonaws\\.com(?:\\.cn)?");

    /** A store that is known by its host: how, and what Litestream sets for it. Group 1 is the bucket, 2 the region. */
    private record Store(Pattern host, String endpoint, boolean pathStyle) {
        Store(String pattern, String endpoint, boolean pathStyle) {
            this(Pattern.compile("(?:(.+)\\.)?" + pattern), endpoint, pathStyle);
        }
    }

    private static final List<Store> STORES = List.of(
            new Store("([a-z0-9-]+)\\.digitaloceanspaces\\.com", "https://%s.digitaloceanspaces.com", false),
            new Store("s3\\.([a-z0-9-]+)\\.backblazeb2\\.com", "https://s3.%s.backblazeb2.com", true),
            new Store("s3\\.filebase\\.com()", "https://s3.filebase.com", true),
            new Store("s3\\.([a-z0-9-]+)\\.scw\\.cloud", "https://s3.%s.scw.cloud", false));

    S3Host {
        values = Map.copyOf(values);
    }

    /**
     * Reads a host, with its port.
     *
     * @throws IllegalArgumentException when it could mean more than one thing, or nothing
     */
    static S3Host parse(String host) {
        if (host.isEmpty()) {
            throw new IllegalArgumentException("the URL names no bucket, write s3://BUCKET/PATH");
        }
        Matcher port = WITH_PORT.matcher(host);
        String bare = port.matches() && port.group(2).equals("443") ? port.group(1) : host;
        S3Host known = ofProvider(bare);
        if (known != null) {
            return known;
        }
        if (port.matches()) {
            return withPort(port.group(1), Integer.parseInt(port.group(2)));
        }
        if (host.contains(":") || host.contains("[")) {
            throw new IllegalArgumentException("the host of the URL is neither a bucket nor HOST:PORT");
        }
        refuseForeignHost(host);
        return new S3Host(host, Map.of());
    }

    private static @Nullable S3Host ofProvider(String host) {
        Matcher aws = AWS.matcher(host);
        if (aws.matches()) {
            return new S3Host(orEmpty(aws.group(1)), region(orEmpty(aws.group(2))));
        }
        for (Store store : STORES) {
            Matcher matcher = store.host().matcher(host);
            if (matcher.matches()) {
                Map<String, String> values = region(matcher.group(2));
                values.put(ENDPOINT, store.endpoint().formatted(matcher.group(2)));
                values.put(PATH_STYLE, Boolean.toString(store.pathStyle()));
                return new S3Host(orEmpty(matcher.group(1)), values);
            }
        }
        return null;
    }

    private static Map<String, String> region(String name) {
        Map<String, String> values = new LinkedHashMap<>();
        if (!name.isEmpty()) {
            values.put(REGION, name);
        }
        return values;
    }

    private static String orEmpty(@Nullable String group) {
        return group == null ? "" : group;
    }

    private static S3Host withPort(String name, int port) {
        String scheme = port == 443 ? "https://" : "http://";
        int dot = name.indexOf('.');
        boolean whole = dot < 0
                || IP.matcher(name).matches()
                || PRIVATE_NAME.matcher(name).matches();
        if (!whole && name.endsWith(".com")) {
            // Litestream takes host and port for the bucket's name here, so nobody's replica is behind such a URL.
            throw new IllegalArgumentException("the URL does not tell whether " + name.substring(0, dot)
                    + " is the bucket; write s3://BUCKET/PATH?endpoint=" + scheme + name + ":" + port);
        }
        String bucket = whole ? "" : name.substring(0, dot);
        String store = whole ? name : name.substring(dot + 1);
        return new S3Host(bucket, Map.of(ENDPOINT, scheme + store + ":" + port, PATH_STYLE, "true"));
    }

    /** A store's host as a bucket's name is somebody's mistake: the files would be looked for at AWS. */
    private static void refuseForeignHost(String host) {
        URI uri;
        try {
            uri = URI.create("https://" + host);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("the bucket's name in the URL has characters that no bucket has", e);
        }
        S3Provider provider = S3Provider.of(uri);
        if (IP.matcher(host).matches() || host.equals("localhost") || provider != S3Provider.OTHER) {
            throw new IllegalArgumentException("the URL names the store " + host
                    + " where the bucket belongs; write s3://BUCKET/PATH?endpoint=" + host);
        }
    }
}
