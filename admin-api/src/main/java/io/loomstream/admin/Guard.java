package io.loomstream.admin;

import io.javalin.http.Context;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Who may call. A page of another site can make a browser send requests here, and its DNS can make its own name mean this
 * address: so the Host header must name an IP address, localhost or a configured name, and a request that says that another
 * site caused it is refused, whether or not a token is asked for.
 */
final class Guard {
    private static final Pattern HOST = Pattern.compile("([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+])(?::[0-9]{1,5})?");
    private static final Pattern IPV4 = Pattern.compile("[0-9]{1,3}(?:\\.[0-9]{1,3}){3}");
    private static final String BEARER = "Bearer ";

    private final AdminOptions options;
    private final Set<String> names = new TreeSet<>();

    Guard(AdminOptions options) {
        this.options = options;
        names.add("localhost");
        names.add(options.host().toLowerCase(Locale.ROOT));
        options.hosts().forEach(name -> names.add(name.toLowerCase(Locale.ROOT)));
    }

    /**
     * Lets a request through that this site or a program makes.
     *
     * @param asset whether it asks for a file without any data in it, which others may link to
     * @throws Problem when it may not pass
     */
    void checkSite(Context context, boolean asset) {
        String host = Optional.ofNullable(context.header("Host")).orElse("");
        var parts = HOST.matcher(host);
        if (!parts.matches() || !isKnown(parts.group(1).toLowerCase(Locale.ROOT))) {
            throw new Problem(421, "the Host header must be an IP address, localhost, or a name of admin.hosts");
        }
        String scheme = options.tls().isPresent() ? "https" : "http";
        String origin = context.header("Origin");
        if (origin != null && !origin.equalsIgnoreCase(scheme + "://" + host)) {
            throw new Problem(403, "the request comes from a page of another site");
        }
        String site = context.header("Sec-Fetch-Site");
        boolean foreign = "cross-site".equals(site) || "same-site".equals(site);
        if (foreign && !asset) {
            throw new Problem(403, "the request comes from a page of another site");
        }
    }

    private boolean isKnown(String host) {
        return names.contains(host)
                || host.startsWith("[")
                || IPV4.matcher(host).matches();
    }

    /**
     * Lets a request through that shows the token, where one is asked for.
     *
     * @throws Problem when it may not pass
     */
    void checkToken(Context context) {
        if (options.token().isEmpty()) {
            return;
        }
        String given = Optional.ofNullable(context.header("Authorization")).orElse("");
        boolean right = given.regionMatches(true, 0, BEARER, 0, BEARER.length())
                && MessageDigest.isEqual(
                        given.substring(BEARER.length()).strip().getBytes(StandardCharsets.UTF_8),
                        options.token().get().getBytes(StandardCharsets.UTF_8));
        if (!right) {
            context.header("WWW-Authenticate", "Bearer realm=\"loomstream\"");
            throw new Problem(401, given.isEmpty() ? "a bearer token is needed" : "the token is not the right one");
        }
    }
}
