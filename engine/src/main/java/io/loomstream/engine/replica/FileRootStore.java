package io.loomstream.engine.replica;

import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.TransientStorageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The server's own files in a directory. Replaced whole: written under another name, forced, renamed. Between the look at the
 * old version and the rename another process may write; the lock file of the state directory keeps those of one host apart.
 */
public final class FileRootStore implements RootStore {
    private static final String TEMPORARY_SUFFIX = ".tmp";

    private final Path directory;
    private final FileSteps steps;
    private final ReentrantLock writing = new ReentrantLock();

    /** Files below {@code root/_loomstream}, which is made with the first write. */
    public FileRootStore(Path root) {
        this(root, new PosixFileSteps());
    }

    FileRootStore(Path root, FileSteps steps) {
        this.directory = root.resolve(DIRECTORY);
        this.steps = steps;
    }

    @Override
    public String describe() {
        return directory.toString();
    }

    @Override
    public Optional<Stored> read(String name) {
        Path file = directory.resolve(RootStore.requireInside(name));
        try {
            byte[] bytes = Files.readAllBytes(file);
            return Optional.of(new Stored(bytes, version(bytes)));
        } catch (NoSuchFileException absent) {
            return Optional.empty();
        } catch (IOException e) {
            throw new TransientStorageException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    @Override
    public List<String> directories() {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, Files::isDirectory)) {
            entries.forEach(entry -> names.add(entry.getFileName().toString()));
        } catch (NoSuchFileException | NotDirectoryException nothingThere) {
            return List.of();
        } catch (DirectoryIteratorException | IOException e) {
            throw new TransientStorageException("cannot list " + directory + ": " + e.getMessage(), e);
        }
        names.sort(Comparator.naturalOrder());
        return List.copyOf(names);
    }

    @Override
    public String write(String name, byte[] bytes, Optional<String> expected) {
        Path file = directory.resolve(RootStore.requireInside(name));
        writing.lock();
        try {
            Optional<String> found = read(name).map(Stored::version);
            if (!found.equals(expected)) {
                throw new ConflictException(file + " was changed by somebody else since it was read");
            }
            replace(file, bytes);
            return version(bytes);
        } catch (IOException e) {
            throw new TransientStorageException("cannot write " + file + ": " + e.getMessage(), e);
        } finally {
            writing.unlock();
        }
    }

    private void replace(Path file, byte[] bytes) throws IOException {
        Path parent = file.getParent() == null ? directory : file.getParent();
        steps.createDirectories(parent, FileAccess.PRIVATE.directories());
        Path temporary = parent.resolve(file.getFileName() + TEMPORARY_SUFFIX);
        steps.delete(temporary); // left by a crash
        try (FileChannel channel = steps.create(temporary, FileAccess.PRIVATE.files())) {
            ByteBuffer left = ByteBuffer.wrap(bytes);
            while (left.hasRemaining()) {
                channel.write(left);
            }
            steps.force(channel);
        }
        steps.rename(temporary, file);
        steps.forceDirectory(parent);
    }

    private static String version(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
