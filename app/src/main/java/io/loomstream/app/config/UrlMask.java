package io.loomstream.app.config;

import java.util.regex.Pattern;

/** Replica URLs as they may be printed. */
public final class UrlMask {
    private static final String MASK = "********";

    /** Up to the last @ before the path: a password may hold one. */
    private static final Pattern USER_INFO = Pattern.compile("(?<=://)[^/?#]*@");

    /** Parameters whose names speak of something secret, ours and whatever somebody may believe to be one. */
    private static final Pattern SECRET_PARAMETER =
            Pattern.compile("(?i)([?&][^=&#]*(?:key|secret|token|password|signature|credential)[^=&#]*=)[^&#]*");

    private UrlMask() {}

    /** The URL, or whatever text it is, without user names, passwords and keys. */
    public static String mask(String url) {
        String bare = USER_INFO.matcher(url).replaceAll(MASK + "@");
        return SECRET_PARAMETER.matcher(bare).replaceAll("$1" + MASK);
    }
}
