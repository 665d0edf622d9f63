package io.loomstream.engine.compaction;

import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.ltx.Compactor;
import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where the work on one database keeps what it makes: the output in a file of the meta directory, intermediate results in
 * memory up to a megabyte each and in a file beyond. One user at a time; what a kill left is removed by the next.
 */
final class WorkFiles implements Compactor.Spool, AutoCloseable {
    private static final int MEMORY_BYTES_MAX = 1 << 20;
    private static final int BUFFER_BYTES = 64 * 1024;
    /** Not ".tmp": such files are removed when a database is opened, which may be at this moment. */
    private static final String PREFIX = "loomstream.work-";

    /** What is left to others, among them the databases themselves, which may lie on the same volume. */
    static final long FREE_BYTES_LEAST = 64L << 20;

    private final Path meta;
    private boolean used;
    private int made;

    WorkFiles(Path meta) {
        this.meta = meta;
    }

    /** Most turns make no file: those do not look for any either. */
    private Path file(String name) throws IOException {
        if (!used) {
            clear();
            used = true;
        }
        return meta.resolve(PREFIX + name);
    }

    private void clear() throws IOException {
        try (DirectoryStream<Path> left = Files.newDirectoryStream(meta, PREFIX + "*")) {
            for (Path file : left) {
                Files.deleteIfExists(file);
            }
        }
    }

    /**
     * Sees to it that what is about to be written does not fill the volume.
     *
     * @param bytes how much that is at most
     * @throws TransientStorageException when it would leave less than {@link #FREE_BYTES_LEAST} free
     */
    void requireRoom(long bytes) {
        if (bytes <= MEMORY_BYTES_MAX) {
            return; // not worth asking for
        }
        long free = meta.toFile().getUsableSpace();
        if (free - bytes < FREE_BYTES_LEAST) {
            throw new TransientStorageException(meta + ": merging takes up to " + bytes + " bytes of disk and "
                    + FREE_BYTES_LEAST + " are to be left to others, but only " + free + " are free");
        }
    }

    Path output() throws IOException {
        return file("output");
    }

    static OutputStream write(Path file) throws IOException {
        return new BufferedOutputStream(Files.newOutputStream(file), BUFFER_BYTES);
    }

    @Override
    public Piece create() throws IOException {
        return new SpooledPiece(file(String.valueOf(made++)));
    }

    @Override
    public void close() throws IOException {
        if (used) {
            clear();
        }
    }

    private static final class SpooledPiece implements Piece {
        private final Path file;
        private byte @Nullable [] small;

        SpooledPiece(Path file) {
            this.file = file;
        }

        @Override
        public OutputStream write() {
            return new Spilling();
        }

        @Override
        public InputStream read() throws IOException {
            byte[] bytes = small;
            return bytes == null ? Files.newInputStream(file) : new ByteArrayInputStream(bytes);
        }

        @Override
        public void close() throws IOException {
            small = null;
            Files.deleteIfExists(file);
        }

        private final class Spilling extends OutputStream {
            private final ByteArrayOutputStream memory = new ByteArrayOutputStream();
            private @Nullable OutputStream disk;

            @Override
            public void write(int b) throws IOException {
                write(new byte[] {(byte) b}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                if (disk == null && memory.size() + length > MEMORY_BYTES_MAX) {
                    disk = WorkFiles.write(file);
                    memory.writeTo(disk);
                    memory.reset();
                }
                if (disk == null) {
                    memory.write(bytes, offset, length);
                } else {
                    disk.write(bytes, offset, length);
                }
            }

            @Override
            public void close() throws IOException {
                if (disk == null) {
                    small = memory.toByteArray();
                } else {
                    disk.close();
                }
            }
        }
    }
}
