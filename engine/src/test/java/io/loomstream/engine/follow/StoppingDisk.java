package io.loomstream.engine.follow;

import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileSteps;
import io.loomstream.engine.replica.PosixFileSteps;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * A real disk that stops at one operation: that one writes half of what it should, or nothing, and everything after it
 * fails. What is on the disk then is what a kill leaves. Operations are those that change something; writes to files
 * count like the others.
 */
final class StoppingDisk implements FileSteps, FollowedDatabase.Opener {
    private final FileSteps real = new PosixFileSteps();
    private final int stopAt;
    private final List<String> taken = new ArrayList<>();

    /** Stops at operation number {@code stopAt}, counted from 0. */
    StoppingDisk(int stopAt) {
        this.stopAt = stopAt;
    }

    static StoppingDisk never() {
        return new StoppingDisk(Integer.MAX_VALUE);
    }

    List<String> taken() {
        return List.copyOf(taken);
    }

    /** Whether this very operation is the one to stop at; later ones throw. */
    private boolean stopping(String what) throws IOException {
        taken.add(what);
        int number = taken.size() - 1;
        if (number > stopAt) {
            throw new IOException("after the stop: " + what);
        }
        return number == stopAt;
    }

    private void take(String what) throws IOException {
        if (stopping(what)) {
            throw new IOException("stop: " + what);
        }
    }

    @Override
    public FileChannel open(Path file) throws IOException {
        return new Channel(FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE), "database");
    }

    @Override
    public FileChannel create(Path file, FileAccess.Grant grant) throws IOException {
        take("create " + file.getFileName());
        return new Channel(real.create(file, grant), file.getFileName().toString());
    }

    @Override
    public void copy(Path source, FileChannel target) throws IOException {
        take("copy");
        real.copy(source, target);
    }

    @Override
    public void force(FileChannel file) throws IOException {
        take("force");
        file.force(true);
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        take("rename to " + to.getFileName());
        real.rename(from, to);
    }

    @Override
    public boolean delete(Path file) throws IOException {
        take("delete " + file.getFileName());
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

    /** A channel whose writes count. */
    private final class Channel extends FileChannel {
        private final FileChannel file;
        private final String name;

        Channel(FileChannel file, String name) {
            this.file = file;
            this.name = name;
        }

        @Override
        public int write(ByteBuffer bytes) throws IOException {
            if (stopping("append to " + name)) {
                file.write(firstHalf(bytes));
                throw new IOException("stop: half an append to " + name);
            }
            return file.write(bytes);
        }

        @Override
        public int write(ByteBuffer bytes, long position) throws IOException {
            if (stopping("write to " + name)) {
                file.write(firstHalf(bytes), position);
                throw new IOException("stop: half a write to " + name);
            }
            return file.write(bytes, position);
        }

        private static ByteBuffer firstHalf(ByteBuffer bytes) {
            return bytes.slice(bytes.position(), bytes.remaining() / 2);
        }

        @Override
        public FileChannel truncate(long size) throws IOException {
            take("truncate " + name);
            file.truncate(size);
            return this;
        }

        @Override
        public void force(boolean metaData) throws IOException {
            file.force(metaData);
        }

        @Override
        public int read(ByteBuffer bytes) throws IOException {
            return file.read(bytes);
        }

        @Override
        public int read(ByteBuffer bytes, long position) throws IOException {
            return file.read(bytes, position);
        }

        @Override
        public long read(ByteBuffer[] bytes, int offset, int length) throws IOException {
            return file.read(bytes, offset, length);
        }

        @Override
        public long write(ByteBuffer[] bytes, int offset, int length) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long position() throws IOException {
            return file.position();
        }

        @Override
        public FileChannel position(long newPosition) throws IOException {
            file.position(newPosition);
            return this;
        }

        @Override
        public long size() throws IOException {
            return file.size();
        }

        @Override
        public long transferTo(long position, long count, WritableByteChannel target) throws IOException {
            return file.transferTo(position, count, target);
        }

        @Override
        public long transferFrom(ReadableByteChannel source, long position, long count) {
            throw new UnsupportedOperationException();
        }

        @Override
        public MappedByteBuffer map(MapMode mode, long position, long size) throws IOException {
            return file.map(mode, position, size);
        }

        @Override
        public FileLock lock(long position, long size, boolean shared) throws IOException {
            return file.lock(position, size, shared);
        }

        @Override
        public FileLock tryLock(long position, long size, boolean shared) throws IOException {
            return file.tryLock(position, size, shared);
        }

        @Override
        protected void implCloseChannel() throws IOException {
            file.close();
        }
    }
}
