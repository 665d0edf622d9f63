package io.loomstream.engine.fleet;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Which project and database the directories of path tables belong to: a number kept with each directory, so that counting
 * 100,000 databases by project makes no string. The number of projects is bounded, and so is that of databases in them; what
 * comes later counts as "other".
 *
 * <p>Thread-safe; a path table's lock may be held, and is never taken inside.
 */
final class ProjectIndex {
    static final String OTHER = "other";
    private static final int DATABASES_PER_PROJECT = 2;

    private final int projectsMax;
    private final ReentrantLock lock = new ReentrantLock();
    // All guarded by lock.
    private final List<ProjectCounts.Group> groups = new ArrayList<>();
    private final Map<ProjectCounts.Group, Integer> numbers = new HashMap<>();
    private final Set<String> projects = new HashSet<>();

    ProjectIndex(int projectsMax) {
        this.projectsMax = projectsMax;
    }

    /** The number of a directory's group. */
    int groupOf(DirectoryTable directories, int directory) {
        int known = directories.label(directory);
        if (known != DirectoryTable.NONE) {
            return known;
        }
        byte[] path = new byte[directories.pathLength(directory)];
        directories.path(directory, path);
        TenantNames names = namesIn(new String(path, StandardCharsets.UTF_8));
        int number = number(names.project(), names.database());
        directories.setLabel(directory, number);
        return number;
    }

    /** The names that a database in this directory has, but for its own. */
    static TenantNames namesIn(String directory) {
        return TenantNames.of(directory + "/x", "/");
    }

    private int number(String project, String database) {
        lock.lock();
        try {
            ProjectCounts.Group wanted = new ProjectCounts.Group(project, database);
            Integer found = numbers.get(wanted);
            if (found != null) {
                return found;
            }
            boolean known = projects.contains(project);
            if (!known && projects.size() >= projectsMax) {
                return add(new ProjectCounts.Group(OTHER, OTHER));
            }
            projects.add(project);
            boolean full = groups.size() >= projectsMax * DATABASES_PER_PROJECT;
            return add(full ? new ProjectCounts.Group(project, OTHER) : wanted);
        } finally {
            lock.unlock();
        }
    }

    private int add(ProjectCounts.Group group) {
        Integer found = numbers.get(group);
        if (found != null) {
            return found;
        }
        groups.add(group);
        numbers.put(group, groups.size() - 1);
        return groups.size() - 1;
    }

    /** All groups by number. */
    List<ProjectCounts.Group> groups() {
        lock.lock();
        try {
            return List.copyOf(groups);
        } finally {
            lock.unlock();
        }
    }
}
