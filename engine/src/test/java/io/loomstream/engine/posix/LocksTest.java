package io.loomstream.engine.posix;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Open-file-description locks, against POSIX locks (SQLite's) and others of their kind in a real other process. */
class LocksTest {
    private final Posix posix = Posix.load().orElseThrow();

    @TempDir
    private Path directory;

    private Path file;
    private int fd;
    private LockingProcess other;

    @BeforeEach
    void open() throws IOException {
        file = Files.write(directory.resolve("locked"), new byte[200]);
        fd = posix.openReadOnly(file);
        other = new LockingProcess(file);
    }

    @AfterEach
    void close() throws Exception {
        other.stop();
        posix.close(fd);
    }

    @ParameterizedTest
    @ValueSource(strings = {"posix", "ofd"})
    void sharedLockKeepsWritersOutAndReadersIn(String kind) throws Exception {
        assertTrue(posix.tryLockShared(fd, 120, 4));
        assertFalse(other.lock(kind, "write", 123, 1));
        assertTrue(other.lock(kind, "write", 124, 1));
        assertTrue(other.lock(kind, "read", 120, 4));
        posix.unlock(fd, 120, 2);
        assertTrue(other.lock(kind, "write", 120, 2));
        assertFalse(other.lock(kind, "write", 122, 1));
    }

    @ParameterizedTest
    @ValueSource(strings = {"posix", "ofd"})
    void exclusiveLockOfAnotherProcessIsRespectedAndSeen(String kind) throws Exception {
        assertTrue(other.lock(kind, "write", 121, 1));
        assertFalse(posix.tryLockShared(fd, 120, 8));
        assertTrue(posix.tryLockShared(fd, 122, 6));
        assertTrue(posix.heldExclusivelyByOther(fd, 120, 8));
        assertTrue(posix.heldByOther(fd, 120, 8));
        assertFalse(posix.heldByOther(fd, 122, 6));

        assertTrue(other.lock(kind, "read", 121, 1));
        assertFalse(posix.heldExclusivelyByOther(fd, 120, 8));
        assertTrue(posix.heldByOther(fd, 120, 8));
        assertTrue(posix.tryLockShared(fd, 120, 8));

        assertTrue(other.lock(kind, "none", 121, 1));
        assertFalse(posix.heldByOther(fd, 120, 8));
    }

    @Test
    void anotherProcesssPosixLocksAreSeenWithoutLocksOfOurKind() throws Exception {
        assertFalse(posix.heldByOtherProcess(fd, 0, 200));
        assertTrue(other.lock("posix", "read", 128, 1));
        assertTrue(posix.heldByOtherProcess(fd, 0, 200));
        assertFalse(posix.heldByOtherProcess(fd, 0, 128));
    }

    @Test
    void locksEndWithTheirProcess() throws Exception {
        assertTrue(other.lock("posix", "write", 120, 8));
        assertTrue(posix.heldByOther(fd, 120, 8));
        other.kill();
        assertFalse(posix.heldByOther(fd, 120, 8));
        assertTrue(posix.tryLockShared(fd, 120, 8));
    }

    /** The reason for these locks: a POSIX lock would go when any descriptor of the file is closed. */
    @Test
    void lockOutlivesOtherDescriptorsOfTheFileAndEndsWithItsOwn() throws Exception {
        assertTrue(posix.tryLockShared(fd, 120, 1));
        int second = posix.openReadOnly(file);
        posix.close(second);
        Files.readAllBytes(file);
        assertFalse(other.lock("posix", "write", 120, 1));
        posix.close(fd);
        assertTrue(other.lock("posix", "write", 120, 1));
        fd = posix.openReadOnly(file);
    }

    @Test
    void descriptorsOfOneProcessAreDifferentOwners() throws Exception {
        int second = posix.openReadOnly(file);
        try {
            assertTrue(posix.tryLockShared(fd, 120, 1));
            assertTrue(posix.tryLockShared(second, 120, 1));
            assertTrue(posix.heldByOther(fd, 120, 1));
            posix.unlock(second, 120, 1);
            assertFalse(posix.heldByOther(fd, 120, 1));
            assertTrue(posix.heldByOther(second, 120, 1));
        } finally {
            posix.close(second);
        }
    }

    @Test
    void locksBeyondFourGibibytesAreWhereTheyAreSaidToBe() throws Exception {
        long start = (1L << 40) + 120;
        assertTrue(posix.tryLockShared(fd, start, 1));
        assertTrue(other.lock("posix", "write", 120, 1));
        assertFalse(other.lock("posix", "write", start, 1));
    }

    @Test
    void closedDescriptorIsAnErrorAndNoAnswer() throws Exception {
        int closed = posix.openReadOnly(file);
        posix.close(closed);
        assertThrows(FileSystemException.class, () -> posix.tryLockShared(closed, 0, 1));
        assertThrows(FileSystemException.class, () -> posix.unlock(closed, 0, 1));
        FileSystemException e = assertThrows(FileSystemException.class, () -> posix.heldByOther(closed, 0, 1));
        assertEquals("descriptor " + closed, e.getFile());
    }
}
