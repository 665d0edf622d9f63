package io.loomstream.engine.fleet;

import io.loomstream.engine.posix.StatBuffer;

/** Finds out when one file or one directory has two paths. For one thread at a time. */
final class Twins {
    private final PathTable table;
    private final FileView view;
    private final StatBuffer other = new StatBuffer();
    private final DirectoryPath rivalPath = new DirectoryPath();

    Twins(PathTable table, FileView view) {
        this.table = table;
        this.view = view;
    }

    private static boolean same(StatBuffer one, StatBuffer other) {
        return one.device() == other.device() && one.inode() == other.inode();
    }

    /** The row of another path that is this very file now, or NONE. */
    int otherOwner(StatBuffer file, int except) {
        int[] candidates;
        try (PathTable.Locked locked = table.lock()) {
            candidates = locked.rows().withIdentity(FileDigest.identity(file), except);
        }
        for (int candidate : candidates) {
            byte[] rival;
            try (PathTable.Locked locked = table.lock()) {
                if (!locked.rows().isLive(candidate)) {
                    continue;
                }
                rival = table.pathBytes(candidate);
            }
            // A file that was moved is no longer there.
            if (view.stat(rival, rival.length, false, other) == 0 && same(file, other)) {
                return candidate;
            }
        }
        return PathTable.NONE;
    }

    /**
     * Whether a directory, just stated, is served under this path. One that is reached over two, by a link or a mount, is
     * served under the first; so loops end.
     */
    boolean isServed(int directory, StatBuffer found) {
        int[] rivals;
        try (PathTable.Locked locked = table.lock()) {
            DirectoryTable directories = locked.directories();
            int identity = FileDigest.identity(found);
            if (directories.isEstablished(directory) && directories.identity(directory) == identity) {
                return true;
            }
            directories.setIdentity(directory, identity);
            rivals = directories.rivals(directory);
            if (rivals.length == 0) {
                directories.establish(directory);
                return true;
            }
        }
        for (int rival : rivals) {
            if (rivalPath.load(table, rival) && rivalPath.stat(view, other) == 0 && same(found, other)) {
                giveWay(directory);
                return false;
            }
        }
        try (PathTable.Locked locked = table.lock()) {
            locked.directories().establish(directory);
        }
        return true;
    }

    private void giveWay(int directory) {
        try (PathTable.Locked locked = table.lock()) {
            DirectoryTable directories = locked.directories();
            directories.setIdentity(directory, 0);
            if (directories.isRemovable(directory)) {
                directories.remove(directory);
            }
        }
    }
}
