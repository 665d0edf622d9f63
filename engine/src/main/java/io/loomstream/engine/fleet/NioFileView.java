package io.loomstream.engine.fleet;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.loomstream.engine.posix.DirectoryReader;
import io.loomstream.engine.posix.StatBuffer;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The file system by {@code java.nio}, for Unix systems without our system calls. Slower, with objects for every name; births
 * are unknown; names that are not UTF-8, which Java cannot give back, are left out.
 */
final class NioFileView implements FileView {
    private static final int EIO = 5;
    private static final byte[] NO_NAME = {};

    private @Nullable Path directory;
    private @Nullable DirectoryStream<Path> stream;
    private @Nullable Iterator<Path> entries;
    private byte[] name = NO_NAME;

    @Override
    @SuppressWarnings("StreamResourceLeak") // close() closes it, and so does the next open
    public int open(byte[] path, int length) {
        close();
        try {
            directory = path(path, length);
            stream = Files.newDirectoryStream(directory);
            entries = stream.iterator();
            return 0;
        } catch (NoSuchFileException e) {
            return missing(path(path, length));
        } catch (IOException | InvalidPathException e) {
            return errno(e);
        }
    }

    @Override
    public int next() {
        try {
            while (entries != null && entries.hasNext()) {
                Path entry = entries.next().getFileName();
                String text = entry.toString();
                if (Path.of(text).equals(entry)) {
                    name = text.getBytes(UTF_8);
                    return 1;
                }
            }
            return 0;
        } catch (DirectoryIteratorException e) {
            return -EIO;
        }
    }

    @Override
    public byte[] name() {
        return name;
    }

    @Override
    public int nameLength() {
        return name.length;
    }

    @Override
    public int type() {
        return DirectoryReader.TYPE_UNKNOWN;
    }

    @Override
    public int statHere(byte[] file, int length, StatBuffer into) {
        return directory == null
                ? DirectoryReader.ENOENT
                : stat(directory.resolve(new String(file, 0, length, UTF_8)), false, into);
    }

    @Override
    public int stat(byte[] path, int length, boolean followLink, StatBuffer into) {
        return stat(path(path, length), followLink, into);
    }

    /** Java says NoSuchFileException also when a part of the path is a file: that is not ENOENT, and proves nothing. */
    private static int missing(Path path) {
        for (Path parent = path.getParent(); parent != null; parent = parent.getParent()) {
            if (Files.isDirectory(parent)) {
                return DirectoryReader.ENOENT;
            }
            if (!Files.notExists(parent)) {
                return DirectoryReader.ENOTDIR;
            }
        }
        return DirectoryReader.ENOENT;
    }

    private static int stat(Path path, boolean followLink, StatBuffer into) {
        try {
            LinkOption[] options = followLink ? new LinkOption[0] : new LinkOption[] {LinkOption.NOFOLLOW_LINKS};
            Map<String, Object> found =
                    Files.readAttributes(path, "unix:dev,ino,size,lastModifiedTime,ctime,mode", options);
            into.set(
                    number(found, "dev"),
                    number(found, "ino"),
                    number(found, "size"),
                    nanos(found, "lastModifiedTime"),
                    nanos(found, "ctime"),
                    0,
                    (int) number(found, "mode"));
            return 0;
        } catch (NoSuchFileException e) {
            return missing(path);
        } catch (IOException | InvalidPathException e) {
            return errno(e);
        }
    }

    @Override
    public long threadCpuNanos() {
        return -1;
    }

    @Override
    public void close() {
        try {
            if (stream != null) {
                stream.close();
            }
        } catch (IOException e) {
            // Only read from: nothing can be lost by it.
        } finally {
            stream = null;
            entries = null;
            directory = null;
        }
    }

    private static long number(Map<String, Object> attributes, String name) {
        return attributes.get(name) instanceof Number number ? number.longValue() : 0;
    }

    private static long nanos(Map<String, Object> attributes, String name) {
        return attributes.get(name) instanceof FileTime time ? time.to(TimeUnit.NANOSECONDS) : 0;
    }

    private static Path path(byte[] path, int length) {
        return Path.of(new String(path, 0, length, UTF_8));
    }

    private static int errno(Exception e) {
        return switch (e) {
            case AccessDeniedException denied -> DirectoryReader.EACCES;
            case NotDirectoryException file -> DirectoryReader.ENOTDIR;
            default -> EIO;
        };
    }
}
