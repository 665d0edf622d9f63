package io.loomstream.engine.restore;

import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileSteps;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/**
 * The name a database is restored to, with the files SQLite keeps beside it. A kill at any moment leaves the old
 * database whole or the new one whole, never the new one beside the old one's WAL, which SQLite would replay onto it:
 *
 * <ol>
 *   <li>the new file is complete, verified and durable under a random name;
 *   <li>the old database is settled: SQLite folds its WAL or journal into it (see {@link OldDatabase}), so from here on
 *       the main file alone is the old database;
 *   <li>what is left of side files says nothing any more: removed, durably;
 *   <li>one rename, durable with its directory.
 * </ol>
 *
 * <p>An old file that SQLite cannot read cannot be settled. It and its side files are set aside as
 * {@code <name>.replaced-<number>} and kept.
 */
final class Destination {
    private static final List<String> SIDES = List.of("-wal", "-shm", "-journal");
    private static final int NAMES_TRIED = 8;

    private final Path database;
    private final FileSteps steps;
    private final RandomGenerator random;

    Destination(Path database, FileSteps steps, RandomGenerator random) {
        this.database = database.toAbsolutePath();
        this.steps = steps;
        this.random = random;
    }

    /** Whether anything at all has the name, be it a link that leads nowhere. */
    boolean occupied() {
        return !Files.notExists(database, LinkOption.NOFOLLOW_LINKS);
    }

    /**
     * Refuses what must not be replaced: with or without force anything but a regular file; without force a file that
     * is not empty and side files, also those of a database that is gone.
     */
    void requireReplaceable(boolean force) {
        Optional<BasicFileAttributes> existing = look(database);
        existing.ifPresent(attributes -> requireRegular(database, attributes));
        List<Path> sides = sides();
        if (force) {
            sides.forEach(side -> look(side)
                    .filter(BasicFileAttributes::isDirectory)
                    .ifPresent(attributes -> requireRegular(side, attributes)));
            return;
        }
        if (existing.isPresent() && existing.get().size() > 0) {
            throw new ConflictException(
                    database + " already exists (" + existing.get().size() + " bytes)");
        }
        if (!sides.isEmpty()) {
            throw new ConflictException(
                    sides.getFirst() + " exists: SQLite would replay it onto the restored database");
        }
    }

    private static void requireRegular(Path path, BasicFileAttributes attributes) {
        if (attributes.isRegularFile()) {
            return;
        }
        String kind = attributes.isSymbolicLink()
                ? "a symbolic link, and links are not followed"
                : attributes.isDirectory() ? "a directory" : "not a regular file";
        throw new ConflictException(path + " is " + kind);
    }

    /** Mode and owner of the file to be replaced; the given ones when there is none. */
    FileAccess.Grant grantOr(FileAccess.Grant otherwise) {
        try {
            return occupied() ? FileAccess.Grant.of(database) : otherwise;
        } catch (IOException e) {
            throw failed("cannot read the mode of " + database, e);
        }
    }

    /** Makes a file next to the final name, that only we can read and that nobody could plant there before. */
    Temporary createTemporary() {
        try {
            steps.createDirectories(directory(), FileAccess.PRIVATE.directories());
            for (int tried = 1; ; tried++) {
                Path path = sibling("restoring");
                try {
                    return new Temporary(path, steps.create(path, FileAccess.PRIVATE.files()));
                } catch (FileAlreadyExistsException e) {
                    if (tried == NAMES_TRIED) {
                        throw e;
                    }
                }
            }
        } catch (IOException e) {
            throw failed("cannot create a file in " + directory(), e);
        }
    }

    /** A file under a random name, and how to write to it. */
    record Temporary(Path path, FileChannel channel) {}

    /**
     * Gives a complete and durable file the database's name, as the class comment says.
     *
     * @return what was set aside instead of being replaced
     * @throws ConflictException when meanwhile something came up that is not replaced
     */
    List<Path> install(Path complete, boolean force) {
        requireReplaceable(force);
        try {
            List<Path> kept = makeWay();
            steps.rename(complete, database);
            steps.forceDirectory(directory());
            return kept;
        } catch (IOException e) {
            throw failed("cannot put the restored database in place at " + database, e);
        }
    }

    private List<Path> makeWay() throws IOException {
        long oldSizeBytes = look(database).map(BasicFileAttributes::size).orElse(0L);
        if (oldSizeBytes > 0 && !OldDatabase.settle(database)) {
            return setAside();
        }
        List<Path> leftOver = sides();
        for (Path side : leftOver) {
            boolean refilled = oldSizeBytes > 0
                    && side.toString().endsWith("-wal")
                    && look(side).map(BasicFileAttributes::size).orElse(0L) > 0;
            if (refilled) {
                throw new ConflictException(database + " is in use: its WAL was written while it was being replaced");
            }
            steps.delete(side);
        }
        if (!leftOver.isEmpty()) {
            steps.forceDirectory(directory());
        }
        return List.of();
    }

    private List<Path> setAside() throws IOException {
        String suffix = sibling("replaced")
                .getFileName()
                .toString()
                .substring(fileName().length());
        List<Path> kept = new ArrayList<>();
        // The main file last: an empty place next to a WAL would make SQLite delete the WAL.
        for (Path old : Stream.concat(sides().stream(), Stream.of(database)).toList()) {
            Path aside = old.resolveSibling(old.getFileName() + suffix);
            steps.rename(old, aside);
            kept.add(aside);
        }
        steps.forceDirectory(directory());
        return List.copyOf(kept);
    }

    void discard(Path temporary) throws IOException {
        steps.delete(temporary);
    }

    private List<Path> sides() {
        return SIDES.stream()
                .map(side -> database.resolveSibling(fileName() + side))
                .filter(side -> look(side).isPresent())
                .toList();
    }

    private Path sibling(String purpose) {
        return database.resolveSibling(
                fileName() + "." + purpose + "-" + HexFormat.of().toHexDigits(random.nextLong()));
    }

    private String fileName() {
        Path name = database.getFileName();
        if (name == null) {
            throw new ConflictException(database + " is a directory");
        }
        return name.toString();
    }

    private Path directory() {
        Path parent = database.getParent();
        return parent == null ? database : parent;
    }

    private static Optional<BasicFileAttributes> look(Path path) {
        try {
            return Optional.of(Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS));
        } catch (NoSuchFileException absent) {
            return Optional.empty();
        } catch (IOException e) {
            throw failed("cannot look at " + path, e);
        }
    }

    private static TransientStorageException failed(String what, IOException cause) {
        return new TransientStorageException(what + ": " + cause.getMessage(), cause);
    }
}
