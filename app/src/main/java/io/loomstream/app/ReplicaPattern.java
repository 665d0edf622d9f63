package io.loomstream.app;

import io.loomstream.app.config.ReplicaUrl;
import io.loomstream.engine.fleet.PathPattern;
import java.util.List;

/**
 * Which replicas below a place are meant: {@code s3://bucket/prefix/**} is the place {@code s3://bucket/prefix} and all below
 * it. Signs are those of {@code multi-db.patterns}; in an S3 URL the first {@code ?} begins its query.
 *
 * @param place a URL; empty where the pattern is about paths below a place that is known otherwise
 * @param below matches "/" and a replica's path below the place; one of them has to
 */
record ReplicaPattern(String place, List<PathPattern> below) {
    ReplicaPattern {
        below = List.copyOf(below);
    }

    static ReplicaPattern parse(String text) throws UsageException {
        String query = "";
        String path = text;
        String scheme = "";
        if (ReplicaUrl.isUrl(text)) {
            int start = text.indexOf("://") + 3;
            scheme = text.substring(0, start);
            int mark = scheme.startsWith("s3") ? text.indexOf('?', start) : -1;
            query = mark < 0 ? "" : text.substring(mark);
            path = text.substring(start, mark < 0 ? text.length() : mark);
        }
        int wild = firstWild(path);
        if (wild < 0) {
            throw new UsageException(
                    "-pattern has to end in a pattern such as /** or /*/main/*",
                    "loomstream restore -pattern '" + scheme + path + "/**" + "' -output-dir DIR");
        }
        int slash = scheme.isEmpty() ? -1 : path.lastIndexOf('/', wild);
        if (slash < 0 && !scheme.isEmpty()) {
            throw new UsageException("-pattern must name a bucket or directory before its first pattern sign");
        }
        String tail = path.substring(slash + 1);
        String place = scheme.isEmpty() ? "" : scheme + path.substring(0, slash) + query;
        try {
            return new ReplicaPattern(place, PathPattern.compile("/" + tail));
        } catch (IllegalArgumentException e) {
            throw new UsageException("-pattern: " + e.getMessage());
        }
    }

    private static int firstWild(String path) {
        for (int i = 0; i < path.length(); i++) {
            if ("*?[{\\".indexOf(path.charAt(i)) >= 0) {
                return i;
            }
        }
        return -1;
    }

    /** Whether a replica is meant. */
    boolean matches(String path) {
        return below.stream().anyMatch(pattern -> pattern.matches("/" + path));
    }
}
