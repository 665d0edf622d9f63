package io.loomstream.engine.fleet;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.posix.FileStat;
import io.loomstream.engine.posix.Posix;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files of the databases that the configuration names: a fleet that finds one of them, under its own path or another,
 * leaves it alone. What is known of them is at most a second old; {@link io.loomstream.engine.sync.Owners} refuses what slips
 * through. One thread.
 */
final class NamedFiles {
    private static final Logger log = LoggerFactory.getLogger(NamedFiles.class);
    private static final Duration FRESH = Duration.ofSeconds(1);

    private final Set<Path> paths;
    private final Posix posix;
    private final Time time;
    private Set<Inode> inodes = Set.of();
    private long lookedAt;
    private boolean looked;

    private record Inode(long device, long number) {}

    NamedFiles(List<Path> paths, Posix posix, Time time) {
        this.paths = Set.copyOf(paths);
        this.posix = posix;
        this.time = time;
    }

    /** Whether a path is one of a named database. */
    boolean has(Path path) {
        return paths.contains(path);
    }

    /** Whether a file is a named database's. */
    boolean has(FileStat file) {
        if (paths.isEmpty()) {
            return false;
        }
        long now = time.nanoTime();
        if (!looked || now - lookedAt > FRESH.toNanos()) {
            look();
            looked = true;
            lookedAt = now;
        }
        return inodes.contains(new Inode(file.device(), file.inode()));
    }

    private void look() {
        Set<Inode> found = new HashSet<>();
        for (Path path : paths) {
            try {
                posix.stat(path).ifPresent(file -> found.add(new Inode(file.device(), file.inode())));
            } catch (IOException unknown) {
                // Its own look says so aloud.
                log.atDebug().addKeyValue("db", path).setCause(unknown).log("cannot be looked at");
            }
        }
        inodes = found;
    }
}
