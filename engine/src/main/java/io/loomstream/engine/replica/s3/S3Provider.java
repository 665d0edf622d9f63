package io.loomstream.engine.replica.s3;

import java.net.URI;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whose store an endpoint is, and what differs there. The rules are Litestream's except that a port in the endpoint does
 * not hide the provider.
 */
public enum S3Provider {
    AWS,
    BACKBLAZE,
    CLOUDFLARE_R2,
    DIGITAL_OCEAN,
    FILEBASE,
    GOOGLE,
    HETZNER,
    SCALEWAY,
    SUPABASE,
    TIGRIS,
    /** Any other endpoint with an explicit port, as MinIO and its like have. */
    MINIO,
    OTHER;

    private static final Pattern IPV4 = Pattern.compile("(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})");

    /** The provider of an endpoint with a scheme. */
    public static S3Provider of(URI endpoint) {
        if (endpoint.getHost() == null || endpoint.getUserInfo() != null) {
            return OTHER;
        }
        String host = endpoint.getHost().toLowerCase(Locale.ROOT);
        S3Provider named = ofHost(host);
        return named == OTHER && endpoint.getPort() >= 0 ? MINIO : named;
    }

    private static S3Provider ofHost(String host) {
        return switch (host) {
            case "fly.storage.tigris.dev", "t3.storage.dev" -> TIGRIS;
            case "s3.filebase.com" -> FILEBASE;
            case String h when h.endsWith(".amazonaws.com") || h.endsWith(".amazonaws.com.cn") -> AWS;
            case String h when h.endsWith(".your-objectstorage.com") -> HETZNER;
            case String h when h.endsWith(".digitaloceanspaces.com") -> DIGITAL_OCEAN;
            case String h when h.endsWith(".backblazeb2.com") -> BACKBLAZE;
            case String h when h.endsWith(".scw.cloud") -> SCALEWAY;
            case String h when h.endsWith(".r2.cloudflarestorage.com") -> CLOUDFLARE_R2;
            case String h when h.endsWith(".supabase.co") -> SUPABASE;
            case String h when isGoogle(h) -> GOOGLE;
            default -> OTHER;
        };
    }

    /** {@code storage.googleapis.com}, {@code storage-x.googleapis.com}, {@code bucket.storage...}: not bucket.x-storage. */
    private static boolean isGoogle(String host) {
        String bare = host.endsWith(".") ? host.substring(0, host.length() - 1) : host;
        List<String> labels = Arrays.asList(bare.split("\\.", -1));
        int count = labels.size();
        return count >= 3
                && labels.stream().noneMatch(String::isEmpty)
                && bare.endsWith("googleapis.com")
                && saysStorage(labels.get(0))
                && (count == 3 || !saysStorage(labels.get(1)));
    }

    private static boolean saysStorage(String label) {
        return Arrays.asList(label.split("-", -1)).contains("storage");
    }

    /** The bucket goes into the path whatever is usual: these stores know no other way. */
    boolean forcesPathStyle() {
        return this == BACKBLAZE || this == FILEBASE || this == SUPABASE || this == MINIO;
    }

    /** Parts in flight at once; R2 refuses many parts of one upload at the same time. */
    int defaultConcurrency() {
        return this == CLOUDFLARE_R2 ? 2 : 5;
    }

    /** Tigris refuses the header. */
    boolean wantsContentMd5() {
        return this != TIGRIS;
    }

    /**
     * Completes an endpoint that somebody wrote without a scheme: {@code http} for this machine and private networks, else
     * {@code https}. Litestream does so for URLs; in YAML it always takes {@code https}.
     */
    public static String withScheme(String endpoint) {
        if (endpoint.contains("://")) {
            return endpoint;
        }
        return (isLocal(hostOf(endpoint)) ? "http://" : "https://") + endpoint;
    }

    private static String hostOf(String endpoint) {
        String authority = endpoint.split("/", 2)[0];
        if (authority.startsWith("[")) {
            return authority.substring(0, authority.indexOf(']') + 1);
        }
        int colon = authority.lastIndexOf(':');
        return colon < 0 ? authority : authority.substring(0, colon);
    }

    /** Whether a host (no port; IPv6 in brackets) is this machine or on a private network, by its text alone. */
    public static boolean isLocal(String host) {
        String name = host.toLowerCase(Locale.ROOT);
        if (name.equals("localhost")
                || name.endsWith(".localhost")
                || name.endsWith(".local")
                || name.equals("[::1]")
                || name.startsWith("[fd")
                || name.startsWith("[fc")) {
            return true;
        }
        Matcher ip = IPV4.matcher(name);
        if (!ip.matches()) {
            return false;
        }
        int first = Integer.parseInt(ip.group(1));
        int second = Integer.parseInt(ip.group(2));
        return first == 127
                || first == 10
                || (first == 192 && second == 168)
                || (first == 172 && second >= 16 && second <= 31);
    }
}
