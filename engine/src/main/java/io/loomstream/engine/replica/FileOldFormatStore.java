package io.loomstream.engine.replica;

import io.loomstream.engine.error.TransientStorageException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** {@link OldFormatStore} in a directory. A file was created when it was last modified. */
public final class FileOldFormatStore implements OldFormatStore {
    private final Path root;

    /** What v0.3 left under a replica's directory. */
    public FileOldFormatStore(Path root) {
        this.root = root;
    }

    @Override
    public String describe() {
        return root.resolve(OldFormatNames.GENERATIONS).toString();
    }

    @Override
    public List<String> generations() {
        List<String> names = new ArrayList<>();
        for (Path entry : entries(root.resolve(OldFormatNames.GENERATIONS))) {
            String name = entry.getFileName().toString();
            if (OldFormatNames.isGeneration(name)) {
                names.add(name);
            }
        }
        names.sort(Comparator.naturalOrder());
        return names;
    }

    @Override
    public List<Snapshot> snapshots(String generation) {
        List<Snapshot> found = new ArrayList<>();
        for (Path entry : entries(directory(generation, OldFormatNames.SNAPSHOTS))) {
            Optional<Long> index =
                    OldFormatNames.snapshotIndex(entry.getFileName().toString());
            Optional<BasicFileAttributes> file = index.flatMap(known -> look(entry));
            if (file.isPresent()) {
                found.add(new Snapshot(
                        generation,
                        index.orElseThrow(),
                        file.get().size(),
                        file.get().lastModifiedTime().toInstant()));
            }
        }
        found.sort(Comparator.comparingLong(Snapshot::index));
        return found;
    }

    @Override
    public List<WalSegment> walSegments(String generation) {
        List<WalSegment> found = new ArrayList<>();
        for (Path entry : entries(directory(generation, OldFormatNames.WAL))) {
            Optional<OldFormatNames.Place> place =
                    OldFormatNames.segmentPlace(entry.getFileName().toString());
            Optional<BasicFileAttributes> file = place.flatMap(known -> look(entry));
            if (file.isPresent()) {
                found.add(new WalSegment(
                        generation,
                        place.orElseThrow().index(),
                        place.orElseThrow().offset(),
                        file.get().size(),
                        file.get().lastModifiedTime().toInstant()));
            }
        }
        found.sort(Comparator.comparingLong(WalSegment::index).thenComparingLong(WalSegment::offset));
        return found;
    }

    @Override
    public InputStream open(Snapshot snapshot) throws IOException {
        return open(directory(snapshot.generation(), OldFormatNames.SNAPSHOTS)
                .resolve(OldFormatNames.snapshotName(snapshot.index())));
    }

    @Override
    public InputStream open(WalSegment segment) throws IOException {
        Path directory = directory(segment.generation(), OldFormatNames.WAL);
        Path usual = directory.resolve(OldFormatNames.segmentName(segment.index(), segment.offset(), 8));
        return open(
                Files.exists(usual)
                        ? usual
                        : directory.resolve(OldFormatNames.segmentName(segment.index(), segment.offset(), 16)));
    }

    private static InputStream open(Path file) throws IOException {
        try {
            return Files.newInputStream(file);
        } catch (NoSuchFileException e) {
            MissingFileException missing = new MissingFileException(file.toString());
            missing.initCause(e);
            throw missing;
        }
    }

    private Path directory(String generation, String kind) {
        return root.resolve(OldFormatNames.GENERATIONS).resolve(generation).resolve(kind);
    }

    private static Optional<BasicFileAttributes> look(Path entry) {
        try {
            BasicFileAttributes attributes = Files.readAttributes(entry, BasicFileAttributes.class);
            return attributes.isRegularFile() ? Optional.of(attributes) : Optional.empty();
        } catch (NoSuchFileException deletedWhileListing) {
            return Optional.empty();
        } catch (IOException e) {
            throw failed(entry, e);
        }
    }

    private static List<Path> entries(Path directory) {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            entries.forEach(found::add);
            return found;
        } catch (NoSuchFileException | NotDirectoryException neverWritten) {
            return List.of();
        } catch (DirectoryIteratorException e) {
            throw failed(directory, e.getCause() == null ? new IOException(e) : e.getCause());
        } catch (IOException e) {
            throw failed(directory, e);
        }
    }

    private static TransientStorageException failed(Path path, IOException cause) {
        return new TransientStorageException("cannot list " + path + ": " + cause.getMessage(), cause);
    }
}
