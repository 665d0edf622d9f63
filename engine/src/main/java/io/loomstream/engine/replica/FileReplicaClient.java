package io.loomstream.engine.replica;

import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArraySet;

/**
 * A replica in a directory: {@code <root>/ltx/<level>/<min>-<max>.ltx}, as Litestream lays it out. A file's
 * modification time is its LTX header's timestamp; it is set before the file gets its name, so no reader ever sees
 * another one (Litestream sets it afterwards).
 *
 * <p>Two processes that write one replica are kept apart by the lease, not here; within one client, a name that another
 * thread is writing is refused as transient.
 */
public final class FileReplicaClient implements ReplicaClient {
    private static final String TEMPORARY_SUFFIX = ".tmp";
    private static final FileSteps REAL = new PosixFileSteps();

    private final Path root;
    private final FileAccess access;
    private final FileSteps steps;
    /** One or two at a time: an array, since there is a client for each of very many databases. */
    private final Set<Path> beingWritten = new CopyOnWriteArraySet<>();

    /** A replica under {@code root}, which is made with the first write. */
    public FileReplicaClient(Path root, FileAccess access) {
        this(root, access, REAL);
    }

    FileReplicaClient(Path root, FileAccess access, FileSteps steps) {
        this.root = root;
        this.access = access;
        this.steps = steps;
    }

    @Override
    public String type() {
        return "file";
    }

    @Override
    public String describe() {
        return root.toString();
    }

    @Override
    public List<ReplicaFile> list(Level level, Txid seek) {
        Path directory = directory(level);
        List<ReplicaFile> files = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                Optional<TxidRange> range =
                        TxidRange.parseFileName(entry.getFileName().toString());
                if (range.isPresent() && range.get().min().compareTo(seek) >= 0) {
                    describe(level, range.get(), entry).ifPresent(files::add);
                }
            }
        } catch (NoSuchFileException neverWritten) {
            return List.of();
        } catch (DirectoryIteratorException e) {
            throw failed("cannot list", directory, listingFailure(e));
        } catch (IOException e) {
            throw failed("cannot list", directory, e);
        }
        files.sort(Comparator.comparing(ReplicaFile::range));
        return List.copyOf(files);
    }

    @Override
    public Optional<ReplicaFile> find(Level level, TxidRange range) {
        Path file = file(level, range);
        try {
            return describe(level, range, file);
        } catch (IOException e) {
            throw failed("cannot look at", file, e);
        }
    }

    @Override
    public boolean findIsCheap() {
        return true;
    }

    private static Optional<ReplicaFile> describe(Level level, TxidRange range, Path entry) throws IOException {
        try {
            BasicFileAttributes attributes = Files.readAttributes(entry, BasicFileAttributes.class);
            return attributes.isRegularFile()
                    ? Optional.of(new ReplicaFile(
                            level,
                            range,
                            attributes.size(),
                            attributes.lastModifiedTime().toInstant()))
                    : Optional.empty();
        } catch (NoSuchFileException deletedWhileListing) {
            return Optional.empty();
        }
    }

    @Override
    public InputStream open(Level level, TxidRange range, long offset) throws IOException {
        Path file = file(level, range);
        FileChannel channel;
        try {
            channel = FileChannel.open(file, StandardOpenOption.READ);
        } catch (NoSuchFileException e) {
            MissingFileException missing = new MissingFileException(file.toString());
            missing.initCause(e);
            throw missing;
        }
        try {
            return Channels.newInputStream(channel.position(offset));
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    @Override
    public ReplicaFile write(Level level, TxidRange range, Path source) {
        Path target = file(level, range);
        if (!beingWritten.add(target)) {
            throw new TransientStorageException(target + " is being written by another thread");
        }
        try {
            SourceFile header = SourceFile.read(source, range);
            // Not "exists": a target that cannot be looked at must not be taken for absent and replaced.
            if (steps.isAbsent(target)) {
                store(source, target, header);
            } else {
                confirmSame(source, target);
            }
            return new ReplicaFile(level, range, header.sizeBytes(), header.createdAt());
        } catch (IOException e) {
            throw failed("cannot store", target, e);
        } finally {
            beingWritten.remove(target);
        }
    }

    private void store(Path source, Path target, SourceFile header) throws IOException {
        Path directory = parentOf(target);
        Path temporary = directory.resolve(target.getFileName() + TEMPORARY_SUFFIX);
        boolean named = false;
        try {
            storeTemporary(source, temporary, directory, header);
            steps.rename(temporary, target);
            named = true;
            steps.forceDirectory(directory);
        } catch (IOException e) {
            if (!named) {
                removeAfter(e, temporary);
            }
            throw e;
        }
    }

    /** Creating it is also the test for the directory: a look before every write would cost more than it tells. */
    private void storeTemporary(Path source, Path temporary, Path directory, SourceFile header) throws IOException {
        try {
            steps.store(source, header.sizeBytes(), temporary, access.files(), header.createdAt());
            return;
        } catch (NoSuchFileException firstOfItsLevel) {
            steps.createDirectories(directory, access.directories());
        } catch (FileAlreadyExistsException leftByACrash) {
            // A new file rather than the old one emptied: nobody else can hold it open.
            steps.delete(temporary);
        }
        steps.store(source, header.sizeBytes(), temporary, access.files(), header.createdAt());
    }

    private void removeAfter(IOException failure, Path temporary) {
        try {
            steps.delete(temporary);
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    /** An earlier attempt may have ended between naming the file and making the name durable, so that is done again. */
    private void confirmSame(Path source, Path target) throws IOException {
        long differsAt = Files.mismatch(source, target);
        if (differsAt >= 0) {
            throw new ConflictException(target + " already exists and differs from " + source + " at byte " + differsAt
                    + ": another writer uses this replica");
        }
        try (FileChannel existing = FileChannel.open(target, StandardOpenOption.READ)) {
            steps.force(existing);
        }
        steps.forceDirectory(parentOf(target));
    }

    @Override
    public void delete(Level level, Collection<TxidRange> ranges) {
        Path directory = directory(level);
        boolean deleted = false;
        try {
            for (TxidRange range : ranges) {
                deleted |= steps.delete(file(level, range));
            }
            if (deleted) {
                steps.forceDirectory(directory);
            }
        } catch (IOException e) {
            throw failed("cannot delete from", directory, e);
        }
    }

    /** Files with foreign names stay, and so do the directories that hold them. */
    @Override
    public void deleteAll() {
        for (int number = 0; number <= Level.SNAPSHOT.number(); number++) {
            emptyDirectory(directory(new Level(number)));
        }
        removeDirectory(root.resolve("ltx"));
    }

    private void emptyDirectory(Path directory) {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                if (isOurs(entry.getFileName().toString())) {
                    steps.delete(entry);
                }
            }
            steps.forceDirectory(directory);
        } catch (NoSuchFileException neverWritten) {
            return;
        } catch (DirectoryIteratorException e) {
            throw failed("cannot list", directory, listingFailure(e));
        } catch (IOException e) {
            throw failed("cannot empty", directory, e);
        }
        removeDirectory(directory);
    }

    private static boolean isOurs(String name) {
        String complete =
                name.endsWith(TEMPORARY_SUFFIX) ? name.substring(0, name.length() - TEMPORARY_SUFFIX.length()) : name;
        return TxidRange.parseFileName(complete).isPresent();
    }

    private void removeDirectory(Path directory) {
        try {
            if (steps.delete(directory)) {
                steps.forceDirectory(parentOf(directory));
            }
        } catch (DirectoryNotEmptyException holdsForeignFiles) {
            return;
        } catch (IOException e) {
            throw failed("cannot remove", directory, e);
        }
    }

    private Path directory(Level level) {
        return root.resolve("ltx").resolve(level.toString());
    }

    private Path file(Level level, TxidRange range) {
        return directory(level).resolve(range.fileName());
    }

    private static Path parentOf(Path file) {
        Path parent = file.getParent();
        return parent == null ? Path.of(".") : parent;
    }

    private static IOException listingFailure(DirectoryIteratorException e) {
        IOException cause = e.getCause();
        return cause == null ? new IOException(e) : cause;
    }

    private static TransientStorageException failed(String what, Path path, IOException cause) {
        String reason = cause instanceof FileSystemException named && named.getReason() != null
                ? named.getReason()
                : cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        return new TransientStorageException(what + " " + path + ": " + reason, cause);
    }
}
