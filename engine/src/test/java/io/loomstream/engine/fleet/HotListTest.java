package io.loomstream.engine.fleet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.error.StorageRefusedException;
import io.loomstream.engine.fleet.HotList.Owner;
import io.loomstream.engine.replica.FileRootStore;
import io.loomstream.engine.replica.RootStore;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HotListTest {
    private static final Owner FIRST = new Owner("node-1", "alpha", 17, Instant.parse("2026-01-02T03:04:05Z"));
    private static final Owner SECOND = new Owner("node-1", "beta", 18, Instant.parse("2026-01-02T03:05:05Z"));

    @TempDir
    Path root;

    private HotListKeeper keeper(Owner owner) {
        return new HotListKeeper(new FileRootStore(root), owner, Time.system());
    }

    private Path file() {
        return root.resolve("_loomstream/node-1/hot-list.json");
    }

    @Test
    void readsBackWhatItWrites() {
        HotList list =
                new HotList(FIRST, Instant.parse("2026-01-02T03:04:06.789Z"), List.of("/a/b c.db", "/é\n\"\\.db"));
        assertEquals(list, HotList.decode(list.encode(), "list"));
    }

    @Test
    void refusesEveryTruncation() {
        byte[] whole = new HotList(FIRST, Instant.EPOCH, List.of("/a.db")).encode();
        for (int length = 0; length < whole.length - 1; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            assertThrows(CorruptDataException.class, () -> HotList.decode(cut, "list"), "cut at " + length);
        }
    }

    @Test
    void passesOverFieldsOfLaterVersionsButNotALaterVersion() {
        byte[] more = "{\"version\":1,\"new\":{\"a\":[1]},\"databases\":[\"/a\"],\"other\":3}"
                .getBytes(StandardCharsets.UTF_8);
        assertEquals(List.of("/a"), HotList.decode(more, "list").paths());
        byte[] later = "{\"version\":2,\"databases\":[]}".getBytes(StandardCharsets.UTF_8);
        assertThrows(CorruptDataException.class, () -> HotList.decode(later, "list"));
    }

    @Test
    void isWrittenOnlyWhenOtherDatabasesAreHot() {
        HotListKeeper keeper = keeper(FIRST);
        assertEquals(List.of(), keeper.takeOver());
        assertTrue(keeper.keep(List.of("/a", "/b")));
        assertFalse(keeper.keep(List.of("/b", "/a")));
        assertTrue(keeper.keep(List.of("/b")));
        assertEquals(List.of("/b"), keeper(SECOND).takeOver());
    }

    @Test
    void theProcessThatWasOvertakenIsToldByWhom() {
        HotListKeeper first = keeper(FIRST);
        first.takeOver();
        first.keep(List.of("/a"));
        HotListKeeper second = keeper(SECOND);
        second.takeOver();
        second.keep(List.of("/a", "/b"));
        ConflictException told = assertThrows(ConflictException.class, () -> first.keep(List.of("/c")));
        assertTrue(told.getMessage().contains("beta"), told.getMessage());
        assertTrue(second.keep(List.of("/d")), "the other one is not disturbed");
    }

    @Test
    void aRootThatWasOutOfReachAtTheStartIsNoConflictLater() {
        HotListKeeper first = keeper(FIRST);
        first.takeOver();
        first.keep(List.of("/a"));
        HotListKeeper second = keeper(SECOND); // its takeOver() failed
        assertTrue(second.keep(List.of("/b")));
        assertEquals(List.of("/b"), keeper(FIRST).takeOver());
    }

    /** As a bucket whose policy grants the replicas' keys only. */
    private static final class RefusingStore implements RootStore {
        @Override
        public String describe() {
            return "refusing/" + RootStore.DIRECTORY;
        }

        @Override
        public Optional<Stored> read(String name) {
            throw new StorageRefusedException("no right to read " + name, null);
        }

        @Override
        public List<String> directories() {
            throw new StorageRefusedException("no right to list", null);
        }

        @Override
        public String write(String name, byte[] bytes, Optional<String> expected) {
            throw new StorageRefusedException("no right to write " + name, null);
        }
    }

    @Test
    void aRootThatRefusesTheHotListDisturbsNeitherStartNorEnd() {
        RootStore refusing = new RefusingStore();
        Keeper.OnRoot onRoot = new Keeper.OnRoot(
                new HotListKeeper(refusing, FIRST, Time.system()),
                new PathMapKeeper(
                        refusing, FIRST, Duration.ofMinutes(5), (path, pattern) -> "file://x", Time.system()));
        Path state = root.resolve("state");
        Keeper keeper = new Keeper(
                Catalog.open(state, "boot-1", "file"), Optional.of(onRoot), Duration.ofSeconds(1), Time.system());
        assertEquals(List.of(), keeper.takeOver());
        keeper.membersChanged();
        keeper.firstPassIsOver();
        keeper.end(new PathTable(), List.of());
        // The end was in order: another start of the machine takes the catalog for what it is.
        assertTrue(Files.exists(state.resolve("catalog.db")));
        assertFalse(Files.exists(state.resolve("catalog.db-wal")), "the catalog was closed");
    }

    @Test
    void startsAnewOverADamagedList() throws Exception {
        HotListKeeper first = keeper(FIRST);
        first.takeOver();
        first.keep(List.of("/a"));
        Files.writeString(file(), "{\"version\":1,\"databases\":[\"/a\"");
        HotListKeeper again = keeper(SECOND);
        assertEquals(List.of(), again.takeOver());
        assertTrue(again.keep(List.of("/b")));
        assertEquals(List.of("/b"), keeper(FIRST).takeOver());
    }

    @Test
    void whatACrashLeftHalfWrittenIsNeitherReadNorInTheWay() throws Exception {
        HotListKeeper first = keeper(FIRST);
        first.takeOver();
        first.keep(List.of("/a"));
        Files.writeString(file().resolveSibling("hot-list.json.tmp"), "{\"vers");
        HotListKeeper again = keeper(FIRST);
        assertEquals(List.of("/a"), again.takeOver());
        assertTrue(again.keep(List.of("/b")));
    }
}
