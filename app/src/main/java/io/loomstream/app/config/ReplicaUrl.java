package io.loomstream.app.config;

import java.util.List;
import java.util.Optional;

/**
 * The replica that a command line names by its URL.
 *
 * @param warnings what in the URL counts for nothing
 */
public record ReplicaUrl(ReplicaConfig replica, List<String> warnings) {
    public ReplicaUrl {
        warnings = List.copyOf(warnings);
    }

    /**
     * Reads a URL.
     *
     * @throws ConfigException naming the URL, with nothing secret in it
     */
    public static ReplicaUrl parse(String url, Environment environment) throws ConfigException {
        var problems = new Problems("replica URL " + UrlMask.mask(url));
        ReplicaConfig replica = switch (FileUrl.scheme(url).orElse("")) {
            case "file" -> directory(url, environment, problems);
            case "s3" -> new ReplicaConfig.S3(new S3Reader(environment, problems).read(url));
            default -> throw problems.error(0, "this version of Loomstream serves file and s3 URLs only");
        };
        return new ReplicaUrl(replica, problems.warnings());
    }

    private static ReplicaConfig directory(String url, Environment environment, Problems problems)
            throws ConfigException {
        try {
            return new ReplicaConfig.Directory(environment.path(FileUrl.path(url)));
        } catch (IllegalArgumentException e) {
            throw problems.error(0, String.valueOf(e.getMessage()));
        }
    }

    /** Whether an argument is a replica URL; {@code sqlite://} names a database. */
    public static boolean isUrl(String argument) {
        Optional<String> scheme = FileUrl.scheme(argument);
        return scheme.isPresent() && !scheme.get().startsWith("sqlite");
    }
}
