package io.loomstream.engine.fleet;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a replica path may be made of. For {@code .../<project>/databases/<database>/branches/<branch>/tenants/<file>} the
 * names are those; any other path has its folder as project, database "default" and branch "main". The tenant is the file's
 * name without its extension.
 *
 * @param filename the file's name with its extension
 * @param relpath the path below the directory that its pattern begins with, the file's name included
 * @param dir the path of the file's folder, without the first slash
 */
public record TenantNames(
        String project, String database, String branch, String tenant, String filename, String relpath, String dir) {
    private static final Pattern FULL =
            Pattern.compile("(?:.*/)?([^/]+)/databases/([^/]+)/branches/([^/]+)/tenants", Pattern.DOTALL);

    /**
     * Takes a path apart.
     *
     * @param path absolute, without "." and ".." and doubled slashes
     * @param root the directory that the path's pattern begins with
     * @throws IllegalArgumentException when the path is not absolute or not below the root
     */
    public static TenantNames of(String path, String root) {
        String prefix = root.endsWith("/") ? root : root + "/";
        if (!path.startsWith("/") || path.endsWith("/") || !path.startsWith(prefix)) {
            throw new IllegalArgumentException("\"" + path + "\" is no path of a file below \"" + root + "\"");
        }
        int slash = path.lastIndexOf('/');
        String dir = slash == 0 ? "" : path.substring(1, slash);
        String filename = path.substring(slash + 1);
        String relpath = path.substring(prefix.length());
        String tenant = withoutExtension(filename);
        Matcher full = FULL.matcher(dir);
        return full.matches()
                ? new TenantNames(full.group(1), full.group(2), full.group(3), tenant, filename, relpath, dir)
                : new TenantNames(
                        dir.substring(dir.lastIndexOf('/') + 1), "default", "main", tenant, filename, relpath, dir);
    }

    /** The name up to its last dot; a dot at the start begins no extension. */
    private static String withoutExtension(String filename) {
        int dot = filename.lastIndexOf('.');
        return dot <= 0 ? filename : filename.substring(0, dot);
    }
}
