package io.loomstream.engine.fleet;

import io.loomstream.engine.posix.DirectoryReader;

/** Words for an errno. */
final class Errno {
    private Errno() {}

    static String text(int errno) {
        return switch (errno) {
            case DirectoryReader.ENOENT -> "it does not exist";
            case DirectoryReader.EACCES -> "permission denied";
            case DirectoryReader.ENOTDIR -> "a part of its path is no directory";
            case DirectoryReader.ENAMETOOLONG -> "its path is too long";
            default -> "errno " + errno;
        };
    }
}
