package io.loomstream.engine.replica;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Real file-system steps, one of which fails: before it has any effect or, for a copy, half-way. As a stop it fails
 * everything from there on, so that what is on the disk is what a kill leaves.
 */
public final class FailingFileSteps implements FileSteps {
    private final FileSteps real = new PosixFileSteps();
    private final int failAt;
    private final boolean stop;
    private final List<String> taken = new ArrayList<>();

    private FailingFileSteps(int failAt, boolean stop) {
        this.failAt = failAt;
        this.stop = stop;
    }

    /** Step number {@code failAt}, counted from 0, fails once. */
    public static FailingFileSteps once(int failAt) {
        return new FailingFileSteps(failAt, false);
    }

    /** Step number {@code failAt} and all after it fail. */
    public static FailingFileSteps stopAt(int failAt) {
        return new FailingFileSteps(failAt, true);
    }

    /** No step fails; they are only recorded. */
    public static FailingFileSteps never() {
        return new FailingFileSteps(Integer.MAX_VALUE, false);
    }

    /** The steps so far, failed ones included. */
    public List<String> taken() {
        return List.copyOf(taken);
    }

    private boolean failing(String step) {
        taken.add(step);
        int number = taken.size() - 1;
        return number == failAt || (stop && number > failAt);
    }

    private void take(String step) throws IOException {
        if (failing(step)) {
            throw new IOException("No space left on device: " + step);
        }
    }

    @Override
    public FileChannel create(Path file, FileAccess.Grant grant) throws IOException {
        take("create");
        return real.create(file, grant);
    }

    @Override
    public void copy(Path source, FileChannel target) throws IOException {
        if (failing("copy")) {
            target.write(ByteBuffer.allocate(64));
            throw new IOException("No space left on device: copy");
        }
        real.copy(source, target);
    }

    @Override
    public void force(FileChannel file) throws IOException {
        take("force");
        real.force(file);
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        take("rename");
        real.rename(from, to);
    }

    @Override
    public boolean delete(Path file) throws IOException {
        take("delete");
        return real.delete(file);
    }

    @Override
    public void forceDirectory(Path directory) throws IOException {
        take("forceDirectory");
        real.forceDirectory(directory);
    }

    @Override
    public void createDirectories(Path directory, FileAccess.Grant grant) throws IOException {
        take("createDirectories");
        real.createDirectories(directory, grant);
    }
}
