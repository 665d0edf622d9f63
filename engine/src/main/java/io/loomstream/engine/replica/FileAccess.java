package io.loomstream.engine.replica;

import io.loomstream.engine.posix.FileStat;
import io.loomstream.engine.posix.Posix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who may use the files and directories that we make. The process's umask has no say: a backup holds whole tables, so
 * its mode is chosen, never inherited.
 */
public record FileAccess(Grant files, Grant directories) {
    /** Files 0600, directories 0700, owned by whoever runs the process. */
    public static final FileAccess PRIVATE =
            new FileAccess(new Grant(0600, Grant.SAME, Grant.SAME), new Grant(0700, Grant.SAME, Grant.SAME));

    private static final Logger log = LoggerFactory.getLogger(FileAccess.class);

    /** What an existing database grants: new files get its mode and owner, new directories those of its directory. */
    public static FileAccess like(Path database) throws IOException {
        Path directory = database.toAbsolutePath().getParent();
        return new FileAccess(Grant.of(database), Grant.of(directory == null ? database : directory));
    }

    /**
     * Mode and owner of one file.
     *
     * @param mode the nine permission bits
     * @param uid the owner, or {@link #SAME}
     * @param gid the group, or {@link #SAME}
     */
    public record Grant(int mode, int uid, int gid) {
        /** Leaves owner or group alone, as in chown(2). */
        public static final int SAME = -1;

        public Grant {
            if ((mode & ~0777) != 0) {
                throw new IllegalArgumentException("not permission bits: 0" + Integer.toOctalString(mode));
            }
        }

        /** What an existing file grants; a link is followed. */
        public static Grant of(Path file) throws IOException {
            return new Grant(number(file, "unix:mode") & 0777, number(file, "unix:uid"), number(file, "unix:gid"));
        }

        private static int number(Path file, String attribute) throws IOException {
            return Files.getAttribute(file, attribute) instanceof Integer number ? number : SAME;
        }

        /**
         * Gives a file that only its maker can use yet to its owner, then opens it to the others; the other order would
         * let the wrong group look in between. An owner that may not be set stays: that is how Litestream does it, and
         * an unprivileged process has no other choice. What is right already is left alone: a look costs less than a change
         * of the inode, and most files are born right.
         */
        public void applyTo(Path file) throws IOException {
            Map<String, Object> now = Files.readAttributes(file, "unix:mode,uid,gid");
            boolean userGiven = giveTo(file, "uid", uid, now);
            boolean groupGiven = giveTo(file, "gid", gid, now);
            if (userGiven || groupGiven || !(now.get("mode") instanceof Integer found) || (found & 07777) != mode) {
                Files.setPosixFilePermissions(file, permissions(mode));
            }
        }

        /** The same for an open file. */
        void applyTo(Posix posix, int fd) throws IOException {
            FileStat now = posix.stat(fd);
            boolean userGiven = uid != SAME && uid != now.uid() && give(posix, fd, uid, SAME);
            boolean groupGiven = gid != SAME && gid != now.gid() && give(posix, fd, SAME, gid);
            if (userGiven || groupGiven || (now.mode() & 07777) != mode) {
                posix.changeMode(fd, mode);
            }
        }

        /** True: a change of the owner, also one that was only tried, may have taken bits of the mode away. */
        private static boolean give(Posix posix, int fd, int uid, int gid) {
            try {
                posix.changeOwner(fd, uid, gid);
            } catch (IOException notPermitted) {
                log.debug("owner or group stays as it is, {}:{} cannot be set", uid, gid, notPermitted);
            }
            return true;
        }

        /** Only the owner's share of the mode. */
        int modeAtBirth() {
            return mode & 0700;
        }

        /** The permissions a file is born with: only the owner's share of the mode. */
        public Set<PosixFilePermission> atBirth() {
            return permissions(modeAtBirth());
        }

        /** Whether the owner had to be changed, or that was tried. */
        private static boolean giveTo(Path file, String attribute, int id, Map<String, Object> now) {
            if (id == SAME || (now.get(attribute) instanceof Integer found && found == id)) {
                return false;
            }
            try {
                Files.setAttribute(file, "unix:" + attribute, id);
            } catch (IOException notPermitted) {
                log.debug("{}: {} stays as it is, {} cannot be set", file, attribute, id, notPermitted);
            }
            return true;
        }

        private static Set<PosixFilePermission> permissions(int mode) {
            StringBuilder text = new StringBuilder("rwxrwxrwx");
            for (int bit = 0; bit < text.length(); bit++) {
                if ((mode & (0400 >> bit)) == 0) {
                    text.setCharAt(bit, '-');
                }
            }
            return PosixFilePermissions.fromString(text.toString());
        }
    }
}
