package io.loomstream.engine.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.posix.FileStat;
import io.loomstream.engine.posix.Posix;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalFilesTest {
    @TempDir
    Path directory;

    private Path database;
    private LocalFiles local;

    @BeforeEach
    void prepare() throws IOException {
        Path home = Files.createDirectory(
                directory.resolve("home"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-x--x")));
        database = Files.createFile(home.resolve("app.db"));
        Files.setPosixFilePermissions(database, PosixFilePermissions.fromString("rw-r-----"));
        local = new LocalFiles(home.resolve(".app.db-litestream"));
        local.createDirectories(database);
    }

    private void publish(long txid, byte[] bytes) throws IOException {
        Path staged = local.staging(new Txid(txid));
        Files.write(staged, bytes);
        FileStat stat = Posix.load().orElseThrow().stat(database).orElseThrow();
        local.publish(staged, new Txid(txid), stat);
    }

    private static Set<Txid> txids(long... values) {
        Set<Txid> set = new TreeSet<>();
        for (long value : values) {
            set.add(new Txid(value));
        }
        return set;
    }

    private static String permissions(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    @Test
    void filesLieWhereLitestreamLooksForThemAndAreAsOpenAsTheDatabase() throws IOException {
        publish(1, new byte[] {1});
        Path file = directory.resolve("home/.app.db-litestream/ltx/0/0000000000000001-0000000000000001.ltx");
        assertTrue(Files.exists(file));
        assertEquals(local.path(Txid.ONE), file);
        assertEquals("rw-r-----", permissions(file));
        for (Path made :
                List.of(file.getParent(), file.getParent().getParent(), directory.resolve("home/.app.db-litestream"))) {
            assertEquals("rwxr-x--x", permissions(made), made.toString());
        }
        assertFalse(Files.exists(local.staging(Txid.ONE)));
    }

    @Test
    void onlyL0FilesOfOneTxidAreListed() throws IOException {
        publish(3, new byte[] {3});
        publish(1, new byte[] {1});
        publish(0x1F, new byte[] {1});
        Path levelZero = local.path(Txid.ONE).getParent();
        Files.writeString(levelZero.resolve("0000000000000004-0000000000000009.ltx"), "covers several");
        Files.writeString(levelZero.resolve("0000000000000005-0000000000000005.ltx.tmp"), "unfinished");
        Files.writeString(levelZero.resolve("notes.txt"), "a stranger's");
        assertEquals(txids(1, 3, 0x1F), local.list());
    }

    @Test
    void nothingIsListedWhereNothingWasEverWritten() throws IOException {
        assertEquals(txids(), new LocalFiles(directory.resolve("nowhere")).list());
    }

    @Test
    void theFileChecksumIsTheLastEightBytes() throws IOException {
        publish(1, ByteBuffer.allocate(40).putLong(32, -77).array());
        assertEquals(Optional.of(-77L), local.fileChecksum(Txid.ONE));
        publish(2, new byte[15]);
        assertEquals(Optional.empty(), local.fileChecksum(new Txid(2)), "too short for a trailer");
        publish(3, new byte[0]);
        assertEquals(Optional.empty(), local.fileChecksum(new Txid(3)), "what a power cut leaves of a file");
        assertEquals(Optional.empty(), local.fileChecksum(new Txid(4)), "no such file");
    }

    @Test
    void whatAKillLeftHalfWrittenIsRemovedAndNothingElse() throws IOException {
        publish(1, new byte[] {1});
        Files.write(local.staging(new Txid(2)), new byte[] {2});
        Path deep = directory.resolve("home/.app.db-litestream/ltx/9/x.tmp");
        Files.createDirectories(deep.getParent());
        Files.writeString(deep, "x");
        local.deleteUnfinished();
        assertFalse(Files.exists(local.staging(new Txid(2))));
        assertFalse(Files.exists(deep));
        assertEquals(txids(1), local.list());
    }

    @Test
    void olderFilesGoAndNewerStay() throws IOException {
        for (int txid = 1; txid <= 5; txid++) {
            publish(txid, new byte[] {1});
        }
        local.deleteBefore(new Txid(4));
        assertEquals(txids(4, 5), local.list());
        local.clear();
        assertEquals(txids(), local.list());
    }
}
