package io.loomstream.engine.replica;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.concurrent.TaskScope;
import io.loomstream.engine.error.ConflictException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What every store of the server's own files does. */
public abstract class RootStoreContract {
    private static final String NAME = "node-1/hot-list.json";
    private static final int RIVALS = 8;

    /** An empty store, the same one at every call within a test. */
    protected abstract RootStore store() throws Exception;

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void aFileThatWasNeverWrittenIsEmpty() throws Exception {
        assertTrue(store().read(NAME).isEmpty());
        assertEquals(List.of(), store().directories());
    }

    @Test
    void readsWhatWasWrittenWithTheVersionThatWriteReturned() throws Exception {
        String version = store().write(NAME, bytes("one"), Optional.empty());

        RootStore.Stored stored = store().read(NAME).orElseThrow();

        assertArrayEquals(bytes("one"), stored.bytes());
        assertEquals(version, stored.version());
    }

    @Test
    void replacesTheVersionThatWasRead() throws Exception {
        String first = store().write(NAME, bytes("one"), Optional.empty());
        String second = store().write(NAME, bytes("two"), Optional.of(first));

        assertNotEquals(first, second);
        assertArrayEquals(bytes("two"), store().read(NAME).orElseThrow().bytes());
        assertThrows(ConflictException.class, () -> store().write(NAME, bytes("three"), Optional.of(first)));
        assertArrayEquals(bytes("two"), store().read(NAME).orElseThrow().bytes());
    }

    @Test
    void aFileThatIsThereIsNotMadeAgain() throws Exception {
        store().write(NAME, bytes("one"), Optional.empty());
        assertThrows(ConflictException.class, () -> store().write(NAME, bytes("two"), Optional.empty()));
        assertArrayEquals(bytes("one"), store().read(NAME).orElseThrow().bytes());
    }

    @Test
    void aFileThatIsGoneIsNotReplaced() throws Exception {
        assertThrows(ConflictException.class, () -> store().write(NAME, bytes("two"), Optional.of("\"0123\"")));
        assertTrue(store().read(NAME).isEmpty());
    }

    @Test
    void anEmptyFileIsNoMissingFile() throws Exception {
        store().write(NAME, new byte[0], Optional.empty());
        assertEquals(0, store().read(NAME).orElseThrow().bytes().length);
    }

    @Test
    void exactlyOneOfManyRivalsReplacesAVersion() throws Exception {
        RootStore store = store();
        String version = store.write(NAME, bytes("start"), Optional.empty());
        AtomicInteger won = new AtomicInteger();
        AtomicInteger lost = new AtomicInteger();
        try (TaskScope scope = TaskScope.open("rivals")) {
            for (int rival = 0; rival < RIVALS; rival++) {
                byte[] mine = bytes("rival " + rival);
                scope.fork(() -> {
                    try {
                        store.write(NAME, mine, Optional.of(version));
                        won.incrementAndGet();
                    } catch (ConflictException late) {
                        lost.incrementAndGet();
                    }
                    return null;
                });
            }
            scope.join();
        }
        assertEquals(1, won.get());
        assertEquals(RIVALS - 1, lost.get());
    }

    @Test
    void namesTheInstancesThatWroteHere() throws Exception {
        store().write("node-2/hot-list.json", bytes("x"), Optional.empty());
        store().write("node-1/databases.jsonl.gz", bytes("x"), Optional.empty());
        store().write("node-1/hot-list.json", bytes("x"), Optional.empty());
        assertEquals(List.of("node-1", "node-2"), store().directories());
    }

    @Test
    void noNameLeadsOutside() throws Exception {
        RootStore store = store();
        for (String name : List.of("../x", "/x", "a//b", "a/./b", "a/../../b", "", "a\0b")) {
            assertThrows(IllegalArgumentException.class, () -> store.read(name), name);
            assertThrows(IllegalArgumentException.class, () -> store.write(name, bytes("x"), Optional.empty()), name);
        }
    }
}
