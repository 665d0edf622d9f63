package io.loomstream.engine.posix;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.loomstream.engine.concurrent.TaskScope;
import io.loomstream.engine.testing.FileLocker;
import io.loomstream.engine.testing.Seed;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Paths, reads and file status against the kernel. */
class PosixTest {
    private final Posix posix = Posix.load().orElseThrow();

    @TempDir
    private Path directory;

    private Path file(String name, String content) throws IOException {
        return Files.writeString(directory.resolve(name), content);
    }

    private String read(Path path) throws IOException {
        int fd = posix.openReadOnly(path);
        try {
            byte[] buffer = new byte[100];
            return new String(buffer, 0, posix.read(fd, 0, buffer, 0, buffer.length), StandardCharsets.UTF_8);
        } finally {
            posix.close(fd);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "plain",
                "with space",
                "-dash",
                "two\nlines",
                "tab\tand\u0001control",
                "quote\"'\\$`*?",
                "Grüße.db",
                "数据库.db",
                "emoji-\uD83D\uDE80.db",
                "e\u0301 decomposed",
                "%2F%00"
            })
    void filesOfAnyNameAreFound(String name) throws IOException {
        Path path = file(name, name);
        assertEquals(name, read(path));
        assertEquals(Files.size(path), posix.stat(path).orElseThrow().sizeBytes());
        assertEquals(Optional.empty(), posix.stat(directory.resolve(name + "x")));
    }

    @Test
    void nameOf255BytesIsFoundAndALongerOneIsAnErrorOtherThanAbsence() throws IOException {
        assertEquals("long", read(file("n".repeat(255), "long")));
        assertEquals("long", read(file("ü".repeat(127), "long")));
        Path tooLong = directory.resolve("n".repeat(256));
        assertOtherError(FileSystemException.class, tooLong);
        Path deep = Path.of("/" + "d/".repeat(3000));
        assertOtherError(FileSystemException.class, deep);
        assertEquals("long", read(file("n".repeat(255), "long")), "works on after the error");
    }

    @Test
    void onlyAFileThatIsNotThereIsAbsent() throws IOException {
        Path absent = directory.resolve("absent");
        assertEquals(Optional.empty(), posix.stat(absent));
        assertThrows(NoSuchFileException.class, () -> posix.openReadOnly(absent));
        assertEquals(Optional.empty(), posix.stat(absent.resolve("below")));
        Path dangling = Files.createSymbolicLink(directory.resolve("dangling"), absent);
        assertEquals(Optional.empty(), posix.stat(dangling));

        assertOtherError(FileSystemException.class, file("file", "").resolve("below"));
        Path loop = Files.createSymbolicLink(directory.resolve("loop"), Path.of("loop"));
        assertOtherError(FileSystemException.class, loop);
    }

    /** Neither call may take the error for a missing file. */
    private void assertOtherError(Class<? extends FileSystemException> type, Path path) {
        FileSystemException opening = assertThrows(FileSystemException.class, () -> posix.openReadOnly(path));
        assertEquals(type, opening.getClass());
        assertEquals(path.toString(), opening.getFile());
        FileSystemException looking = assertThrows(FileSystemException.class, () -> posix.stat(path));
        assertEquals(type, looking.getClass());
    }

    @Test
    void noErrorButOneMeansThatAFileIsAbsent() {
        for (int errno = 1; errno <= 133; errno++) {
            IOException e = Posix.failure("open", "file", errno);
            assertEquals(errno == 2, e instanceof NoSuchFileException, "errno " + errno);
            assertEquals(errno == 1 || errno == 13, e instanceof AccessDeniedException, "errno " + errno);
        }
    }

    @Test
    void forbiddenIsNotAbsent() throws IOException {
        assumeFalse(
                posix.stat(Path.of("/proc/self")).orElseThrow().uid() == 0,
                "root may read everything; run as another user to test this");
        Path closed = Files.createDirectory(directory.resolve("closed"));
        Path inside = Files.writeString(closed.resolve("inside"), "secret");
        Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("---------"));
        try {
            assertOtherError(AccessDeniedException.class, inside);
        } finally {
            Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));
        }
    }

    @Test
    void statSaysWhatTheFileSystemSays() throws IOException {
        Instant before = Instant.now().minusMillis(100);
        Path path = file("stat", "12345");
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-r-----"));
        FileStat stat = posix.stat(path).orElseThrow();

        assertEquals(5, stat.sizeBytes());
        assertEquals(Files.getAttribute(path, "unix:ino"), stat.inode());
        assertEquals(Files.getAttribute(path, "unix:uid"), stat.uid());
        assertEquals(Files.getAttribute(path, "unix:gid"), stat.gid());
        assertEquals(Files.getAttribute(path, "unix:mode"), stat.mode());
        assertEquals(nanos((FileTime) Files.getAttribute(path, "unix:ctime")), stat.changedNanos());
        assertEquals(nanos(Files.getLastModifiedTime(path)), stat.modifiedNanos());
        assertTrue(stat.isRegularFile());
        assertFalse(posix.stat(directory).orElseThrow().isRegularFile());
        if (stat.bornNanos() != 0) {
            assertTrue(stat.bornNanos() >= before.toEpochMilli() * 1_000_000, "born in the past");
            assertTrue(stat.bornNanos() <= stat.changedNanos());
        }
    }

    private static long nanos(FileTime time) {
        return time.to(TimeUnit.NANOSECONDS);
    }

    @Test
    void modificationTimeHasItsNanoseconds() throws IOException {
        Path path = file("time", "");
        Files.setLastModifiedTime(path, FileTime.from(Instant.ofEpochSecond(1_700_000_000, 123_456_789)));
        assertEquals(1_700_000_000_123_456_789L, posix.stat(path).orElseThrow().modifiedNanos());
    }

    @Test
    void birthTellsAFileFromOneWithItsName() throws IOException {
        Path path = file("born", "one");
        FileStat first = posix.stat(path).orElseThrow();
        int fd = posix.openReadOnly(path);
        try {
            assertEquals(first, posix.stat(fd));
            Files.writeString(path, "longer");
            assertTrue(first.sameFileAs(posix.stat(path).orElseThrow()));
            assertEquals(6, posix.stat(fd).sizeBytes());
            Files.move(file("other", "two"), path, StandardCopyOption.REPLACE_EXISTING);
            assertFalse(first.sameFileAs(posix.stat(path).orElseThrow()));
            assertTrue(first.sameFileAs(posix.stat(fd)));
        } finally {
            posix.close(fd);
        }
        assertThrows(FileSystemException.class, () -> posix.stat(fd));
    }

    @Test
    void readsAnywhereInAFileLargerThanFourGibibytes() throws IOException {
        Path path = directory.resolve("sparse");
        long[] offsets = {0, (1L << 31) - 3, (1L << 32) - 4, (1L << 32) + 4096, (5L << 30) + 1, (1L << 40)};
        byte[] mark = "marked".getBytes(StandardCharsets.US_ASCII);
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (long offset : offsets) {
                channel.write(ByteBuffer.wrap(mark), offset);
            }
        }
        int fd = posix.openReadOnly(path);
        try {
            assertEquals((1L << 40) + mark.length, posix.stat(fd).sizeBytes());
            for (long offset : offsets) {
                byte[] found = new byte[mark.length];
                assertEquals(found.length, posix.read(fd, offset, found, 0, found.length));
                assertArrayEquals(mark, found, "at " + offset);
            }
            assertEquals(2, posix.read(fd, (1L << 40) + 4, new byte[10], 0, 10));
            assertEquals(0, posix.read(fd, (1L << 40) + 6, new byte[10], 0, 10));
            assertEquals(0, posix.read(fd, 1L << 41, new byte[10], 0, 10));
        } finally {
            posix.close(fd);
        }
    }

    @Test
    void readsOfEveryLengthGiveTheFilesBytes() throws IOException {
        Random random = Seed.random("readsOfEveryLength");
        byte[] content = new byte[300_000];
        random.nextBytes(content);
        Path path = Files.write(directory.resolve("content"), content);
        int fd = posix.openReadOnly(path);
        try {
            for (int round = 0; round < 300; round++) {
                int position = random.nextInt(content.length + 10);
                int length = random.nextInt(random.nextBoolean() ? 200 : 200_000);
                byte[] buffer = new byte[length + 20];
                int expected = Math.clamp(content.length - position, 0, length);
                assertEquals(expected, posix.read(fd, position, buffer, 7, length));
                int end = Math.min(position + expected, content.length);
                assertArrayEquals(
                        Arrays.copyOfRange(content, Math.min(position, end), end),
                        Arrays.copyOfRange(buffer, 7, 7 + expected));
                assertArrayEquals(new byte[7], Arrays.copyOf(buffer, 7));
                assertArrayEquals(
                        new byte[buffer.length - 7 - expected],
                        Arrays.copyOfRange(buffer, 7 + expected, buffer.length));
            }
        } finally {
            posix.close(fd);
        }
    }

    /** Lengths around the scratch's size, which calls are split at. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 65_535, 65_536, 65_537, 200_000})
    void writesAndCopiesOfEveryLengthGiveTheFilesBytes(int length) throws IOException {
        byte[] bytes = new byte[length + 7];
        Seed.random("writesAndCopies").nextBytes(bytes);
        Path written = directory.resolve("written");
        Path copied = directory.resolve("copied");
        int from = posix.openOrCreate(written, 0600);
        int to = posix.createNew(copied, 0600);
        try {
            posix.write(from, 3, bytes, 7, length);
            posix.copy(from, to, length == 0 ? 0 : length + 3L);
            assertThrows(EOFException.class, () -> posix.copy(from, to, length + 4L));
        } finally {
            posix.close(from);
            posix.close(to);
        }
        byte[] expected = new byte[length == 0 ? 0 : length + 3];
        System.arraycopy(bytes, 7, expected, Math.min(3, expected.length), length);
        assertArrayEquals(expected, Files.readAllBytes(written));
        assertArrayEquals(expected, Files.readAllBytes(copied));
    }

    @Test
    void whatIsThereIsNeitherReplacedNorEmptied() throws IOException {
        Path there = file("there", "content");
        assertThrows(FileAlreadyExistsException.class, () -> posix.createNew(there, 0600));
        Path link = Files.createSymbolicLink(directory.resolve("link"), directory.resolve("nowhere"));
        assertThrows(FileAlreadyExistsException.class, () -> posix.createNew(link, 0600));
        posix.close(posix.openOrCreate(there, 0600));
        assertEquals("content", Files.readString(there));
        assertThrows(NoSuchFileException.class, () -> posix.openReadWrite(directory.resolve("nowhere")));
    }

    /** The admin API and its alert know a full disk by these words. */
    @Test
    void fullDiskIsCalledByItsName() throws IOException {
        int fd = posix.openReadWrite(Path.of("/dev/full"));
        try {
            DescriptorOutput output = new DescriptorOutput(posix, fd, Path.of("/x/some file"));
            FileSystemException full = assertThrows(FileSystemException.class, () -> output.write(new byte[10]));
            assertTrue(full.getMessage().contains("No space left on device"), full.getMessage());
            assertTrue(full.getMessage().contains("/x/some file"), full.getMessage());
            assertEquals(0, output.position());
        } finally {
            posix.close(fd);
        }
    }

    @Test
    void linkIsNotWrittenThrough() throws IOException {
        Path target = file("target", "content");
        for (Path to : new Path[] {target, directory.resolve("nowhere")}) {
            Path link = Files.createSymbolicLink(directory.resolve("link to " + to.getFileName()), to);
            FileSystemException refused = assertThrows(FileSystemException.class, () -> posix.openOrCreate(link, 0600));
            assertTrue(refused.getMessage().contains("symbolic link"), refused.getMessage());
        }
        assertEquals("content", Files.readString(target));
        assertFalse(Files.exists(directory.resolve("nowhere")));
    }

    @Test
    void closingSaysWhetherItWorked() throws IOException {
        posix.closeWritten(posix.openOrCreate(directory.resolve("file"), 0600));
        assertThrows(FileSystemException.class, () -> posix.closeWritten(-1));
        posix.close(-1);
    }

    @Test
    void lengthModeAndTimesAreSet() throws IOException {
        Path path = directory.resolve("file");
        int fd = posix.createNew(path, 0600);
        try {
            posix.write(fd, 0, new byte[100], 0, 100);
            posix.truncate(fd, 40);
            posix.changeMode(fd, 0666);
            posix.changeOwner(fd, -1, -1);
            posix.setTimes(fd, Instant.EPOCH.minusNanos(1));
            posix.force(fd);
            assertEquals(40, posix.stat(fd).sizeBytes());
            assertEquals(-1, posix.stat(fd).modifiedNanos());
        } finally {
            posix.close(fd);
        }
        assertEquals("rw-rw-rw-", PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
        assertEquals(
                Instant.EPOCH.minusNanos(1), Files.getLastModifiedTime(path).toInstant());
    }

    /** Other descriptors of this process too: SQLite's locks, which are the process's, could not do that. */
    @Test
    void lockOfAWholeFileKeepsOutEverybodyElse() throws IOException {
        Path path = file("locked", "x");
        int ours = posix.openReadWrite(path);
        int other = posix.openReadWrite(path);
        try {
            assertTrue(posix.tryLockWhole(ours));
            assertTrue(posix.tryLockWhole(ours), "again is no error");
            assertFalse(posix.tryLockWhole(other));
            assertEquals(Optional.empty(), FileLocker.lock(path));
            posix.close(posix.openReadOnly(path));
            assertEquals(Optional.empty(), FileLocker.lock(path), "closing another descriptor does not end it");
        } finally {
            posix.close(ours);
        }
        try {
            assertTrue(posix.tryLockWhole(other));
        } finally {
            posix.close(other);
        }
        try (FileLocker process = FileLocker.lock(path).orElseThrow()) {
            int fd = posix.openReadWrite(path);
            try {
                assertFalse(posix.tryLockWhole(fd), "locked by " + process);
            } finally {
                posix.close(fd);
            }
        }
    }

    @Test
    void manyThreadsShareTheScratchMemory() throws Exception {
        byte[] content = new byte[100_000];
        Seed.random("manyThreads").nextBytes(content);
        Path path = Files.write(directory.resolve("shared"), content);
        try (TaskScope scope = TaskScope.open("readers")) {
            for (int i = 0; i < 200; i++) {
                scope.fork(() -> {
                    for (int round = 0; round < 20; round++) {
                        int fd = posix.openReadOnly(path);
                        byte[] read = new byte[content.length];
                        assertEquals(content.length, posix.read(fd, 0, read, 0, read.length));
                        posix.close(fd);
                        assertArrayEquals(content, read);
                        assertEquals(Optional.empty(), posix.stat(directory.resolve("absent")));
                    }
                    return null;
                });
            }
            scope.join();
        }
    }

    @Test
    void interruptedThreadReadsAndItsDescriptorStaysOpen() throws Exception {
        int fd = posix.openReadOnly(file("interrupted", "content"));
        CountDownLatch done = new CountDownLatch(1);
        try (TaskScope scope = TaskScope.open("interrupted")) {
            var reader = scope.fork(() -> {
                Thread.currentThread().interrupt();
                byte[] buffer = new byte[7];
                int read = posix.read(fd, 0, buffer, 0, 7);
                boolean flag = Thread.interrupted();
                done.countDown();
                return flag ? read : -1;
            });
            scope.join();
            assertEquals(7, reader.get(), "read all, and the flag is still set");
        }
        assertEquals(0, done.getCount());
        assertEquals(7, posix.read(fd, 0, new byte[7], 0, 7));
        posix.close(fd);
        assertThrows(FileSystemException.class, () -> posix.read(fd, 0, new byte[7], 0, 7));
    }
}
