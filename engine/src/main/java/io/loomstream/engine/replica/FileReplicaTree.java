package io.loomstream.engine.replica;

import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.TxidRange;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * The replicas below a directory. Links are not followed. What servers keep beside databases and replicas,
 * {@code .NAME-litestream} and {@code _loomstream}, is passed over.
 */
public final class FileReplicaTree implements ReplicaTree {
    private static final String LEVELS = "ltx";
    private static final String META_SUFFIX = "-litestream";

    private final Path root;

    public FileReplicaTree(Path root) {
        this.root = root.toAbsolutePath().normalize();
    }

    @Override
    public String describe() {
        return root.toString();
    }

    @Override
    public ReplicaClient replica(String path) {
        return new FileReplicaClient(path.isEmpty() ? root : root.resolve(path), FileAccess.PRIVATE);
    }

    @Override
    public void forEach(Visitor visitor) throws InterruptedException {
        if (!Files.isDirectory(root)) {
            throw new TransientStorageException(root + " is no directory", null);
        }
        visit(root, visitor);
    }

    private void visit(Path directory, Visitor visitor) throws InterruptedException {
        if (holdsLevels(directory.resolve(LEVELS))) {
            String path = root.relativize(directory).toString();
            visitor.found(path, replica(path));
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                String name = entry.getFileName().toString();
                boolean ours = name.equals(RootStore.DIRECTORY) || (name.startsWith(".") && name.endsWith(META_SUFFIX));
                if (!ours && Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
                    visit(entry, visitor);
                }
            }
        } catch (NoSuchFileException removedMeanwhile) {
            return;
        } catch (DirectoryIteratorException | IOException e) {
            throw new TransientStorageException("cannot list " + directory + ": " + e.getMessage(), e);
        }
    }

    private static boolean holdsLevels(Path levels) {
        for (int number = 0; number <= Level.SNAPSHOT.number(); number++) {
            Path level = levels.resolve(new Level(number).toString());
            if (!Files.isDirectory(level, LinkOption.NOFOLLOW_LINKS)) {
                continue;
            }
            try (DirectoryStream<Path> files = Files.newDirectoryStream(level)) {
                for (Path file : files) {
                    if (TxidRange.parseFileName(file.getFileName().toString()).isPresent()) {
                        return true;
                    }
                }
            } catch (NoSuchFileException removedMeanwhile) {
                // What a level held that is gone is no replica.
            } catch (DirectoryIteratorException | IOException e) {
                throw new TransientStorageException("cannot list " + level + ": " + e.getMessage(), e);
            }
        }
        return false;
    }
}
