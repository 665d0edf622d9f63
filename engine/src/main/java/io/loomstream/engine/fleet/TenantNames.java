package io.loomstream.engine.fleet;

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
        // From the end, segment by segment, and not by a pattern: a page of a list does this for every line.
        int tenants = segmentBefore(dir, dir.length());
        int branch = segmentBefore(dir, tenants - 1);
        int branches = segmentBefore(dir, branch - 1);
        int database = segmentBefore(dir, branches - 1);
        int databases = segmentBefore(dir, database - 1);
        int project = segmentBefore(dir, databases - 1);
        boolean full = project >= 0
                && dir.startsWith("tenants", tenants)
                && dir.startsWith("branches/", branches)
                && dir.startsWith("databases/", databases)
                && dir.length() - tenants == "tenants".length()
                && branch - branches == "branches/".length()
                && database - databases == "databases/".length();
        return full
                ? new TenantNames(
                        dir.substring(project, databases - 1),
                        dir.substring(database, branches - 1),
                        dir.substring(branch, tenants - 1),
                        tenant,
                        filename,
                        relpath,
                        dir)
                : new TenantNames(dir.substring(tenants), "default", "main", tenant, filename, relpath, dir);
    }

    /** Where the segment begins that ends at {@code end}; -1 when there is none. */
    private static int segmentBefore(String dir, int end) {
        return end < 0 ? -1 : dir.lastIndexOf('/', end - 1) + 1;
    }

    /** The name up to its last dot; a dot at the start begins no extension. */
    private static String withoutExtension(String filename) {
        int dot = filename.lastIndexOf('.');
        return dot <= 0 ? filename : filename.substring(0, dot);
    }
}
