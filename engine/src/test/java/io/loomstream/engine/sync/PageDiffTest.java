package io.loomstream.engine.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.sync.Verdict.Reason;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What is uploaded when the hold was lost. Rows are random bytes, which do not compress: the bytes of a file tell how many
 * pages it has.
 */
class PageDiffTest {
    private static final String FILL =
            "insert into t(x) with recursive n(i) as (select 1 union all select i+1 from n where i<400)"
                    + " select randomblob(3000) from n";
    private static final int FEW_PAGES = 40_000;

    @TempDir
    Path directory;

    private static void makeDatabase(Setting s) {
        s.app.open("a", s.database)
                .exec("a", "pragma journal_mode=wal")
                .exec("a", "create table t(id integer primary key, x)")
                .exec("a", FILL)
                .close("a");
    }

    private static void openWriteClose(Setting s, String sql) {
        s.app.open("w", s.database).exec("w", sql).close("w");
    }

    @Test
    void anApplicationThatOpensWritesAndClosesCostsOnlyItsPages() throws Exception {
        try (Setting s = new Setting(directory)) {
            makeDatabase(s);
            s.catchUp();
            assertTrue(s.newestBytes() > 1_000_000, "the first copy has every page");
            for (int i = 1; i <= 10; i++) {
                s.crash();
                openWriteClose(s, "update t set x = randomblob(3000) where id = " + 17 * i);
                assertFalse(Files.exists(directory.resolve("app.db-wal")));
                s.catchUp();
                assertEquals(i + 1, s.newestTxid());
                assertTrue(s.newestBytes() < FEW_PAGES, s.newestBytes() + " bytes");
                s.assertRestoresToSource("after transaction " + i);
            }
            SyncCounters counters = s.services.counters();
            assertEquals(10, counters.differenceCopies());
            assertEquals(1, counters.completeCopies());
            assertEquals(1, counters.full());
            assertEquals(10, counters.resyncs(Reason.UNPROVEN));
            assertTrue(counters.pagesRead() > 10 * counters.pagesChanged() / 2);
        }
    }

    @Test
    void aDatabaseInWhichNothingChangedUploadsNothing() throws Exception {
        try (Setting s = new Setting(directory)) {
            makeDatabase(s);
            s.catchUp();
            s.crash();
            Files.setLastModifiedTime(s.database, FileTime.from(Instant.now().minusSeconds(1000)));
            s.catchUp();
            assertEquals(1, s.newestTxid());
            assertEquals(1, s.services.counters().differenceCopies());
            // and the cursor is proven by it
            s.app.open("a", s.database).exec("a", "insert into t(x) values (1)");
            s.catchUp();
            assertEquals(2, s.newestTxid());
            assertEquals(1, s.services.counters().differenceCopies(), "the cursor was not proven");
            s.assertRestoresToSource("after an insert");
        }
    }

    @Test
    void anotherWalWithNothingNewIsGoneOnInWithoutAnUpload() throws Exception {
        try (Setting s = new Setting(directory)) {
            makeDatabase(s);
            s.catchUp();
            s.crash();
            openWriteClose(s, "create table u(x)");
            s.app.open("a", s.database).exec("a", "pragma user_version=5");
            s.catchUp();
            s.crash();
            long before = s.newestTxid();
            // the same content through frames of its own
            s.app.exec("a", "pragma user_version=5");
            s.app.exec("a", "update t set x = x where id = 9");
            Files.setLastModifiedTime(s.database, FileTime.from(Instant.now().minusSeconds(1000)));
            s.catchUp();
            s.app.exec("a", "insert into t(x) values (2)");
            s.catchUp();
            assertTrue(s.newestTxid() <= before + 2);
            assertTrue(s.newestBytes() < FEW_PAGES);
            s.assertRestoresToSource("after the other WAL");
        }
    }

    @Test
    void aReplacedDatabaseIsComparedWithWhatTheReplicaHas() throws Exception {
        try (Setting s = new Setting(directory)) {
            makeDatabase(s);
            s.catchUp();
            Path backup = Files.copy(s.database, directory.resolve("backup.db"));
            openWriteClose(s, "update t set x = randomblob(3000) where id % 10 = 3");
            s.catchUp();
            s.crash();
            Files.deleteIfExists(directory.resolve("app.db-wal"));
            Files.deleteIfExists(directory.resolve("app.db-shm"));
            Files.move(backup, s.database, StandardCopyOption.REPLACE_EXISTING);
            s.catchUp();
            assertEquals(1, s.services.counters().resyncs(Reason.DATABASE_REPLACED));
            assertTrue(s.newestBytes() < 300_000, s.newestBytes() + " bytes");
            s.assertRestoresToSource("after the replacement");
        }
    }

    @Test
    void anotherPageSizeIsCopiedWhole() throws Exception {
        try (Setting s = new Setting(directory)) {
            makeDatabase(s);
            s.catchUp();
            s.crash();
            openWriteClose(s, "pragma journal_mode=delete");
            s.app.open("w", s.database).exec("w", "pragma page_size=1024").exec("w", "vacuum");
            s.app.exec("w", "pragma journal_mode=wal").close("w");
            s.catchUp();
            assertEquals(0, s.services.counters().differenceCopies());
            assertEquals(2, s.services.counters().completeCopies());
            s.crash();
            openWriteClose(s, "insert into t(x) values (1)");
            s.catchUp();
            assertTrue(s.newestBytes() < FEW_PAGES, "the new index is used");
        }
    }

    @Test
    void aDatabaseThatShrinksAndGrowsIsFollowed() throws Exception {
        try (Setting s = new Setting(directory)) {
            makeDatabase(s);
            s.catchUp();
            s.crash();
            openWriteClose(s, "delete from t where id > 100");
            openWriteClose(s, "vacuum");
            s.catchUp();
            s.assertRestoresToSource("after the shrink");
            s.crash();
            openWriteClose(s, FILL);
            s.catchUp();
            s.assertRestoresToSource("after the growth");
            assertEquals(2, s.services.counters().differenceCopies());
        }
    }

    @Test
    void aDatabaseWithoutWalCostsOnlyThePagesThatChanged() throws Exception {
        try (Setting s = new Setting(directory, new SipHash128(), JournalPolicy.OBSERVE)) {
            s.app.open("a", s.database)
                    .exec("a", "create table t(id integer primary key, x)")
                    .exec("a", FILL);
            s.catchUp();
            for (int i = 1; i <= 3; i++) {
                s.app.exec("a", "update t set x = randomblob(3000) where id = " + 31 * i);
                s.catchUp();
                assertTrue(s.newestBytes() < FEW_PAGES, s.newestBytes() + " bytes");
                s.assertRestoresToSource("after update " + i);
            }
            Files.setLastModifiedTime(s.database, FileTime.from(Instant.now().minusSeconds(1000)));
            s.catchUp();
            assertEquals(4, s.newestTxid(), "nothing changed, nothing is uploaded");
        }
    }

    @Test
    void aSmallDatabaseHasNoIndexUntilItGrows() throws Exception {
        try (Setting s = new Setting(directory)) {
            s.app.open("a", s.database)
                    .exec("a", "pragma journal_mode=wal")
                    .exec("a", "create table t(id integer primary key, x)");
            s.catchUp();
            assertFalse(Files.exists(s.indexFile()));
            s.app.exec("a", FILL);
            s.catchUp();
            assertTrue(Files.exists(s.indexFile()), "made while it goes on in the WAL");
            s.crash();
            s.app.close("a");
            openWriteClose(s, "update t set x = randomblob(3000) where id = 200");
            s.catchUp();
            assertEquals(1, s.services.counters().differenceCopies());
            assertTrue(s.newestBytes() < FEW_PAGES, s.newestBytes() + " bytes");
            s.assertRestoresToSource("after it grew");
        }
    }

    @Test
    void aLostIndexCostsOneCopyOfEveryPage() throws Exception {
        try (Setting s = new Setting(directory)) {
            makeDatabase(s);
            s.catchUp();
            for (int i = 1; i <= 2; i++) {
                s.crash();
                if (i == 1) {
                    Files.delete(s.indexFile());
                }
                openWriteClose(s, "update t set x = randomblob(3000) where id = " + i);
                s.catchUp();
                assertEquals(i == 1, s.newestBytes() > 1_000_000);
            }
            s.assertRestoresToSource("after both");
        }
    }

    @Test
    void anIndexThatMissedACopyIsNotBelieved() throws Exception {
        try (Setting s = new Setting(directory)) {
            makeDatabase(s);
            s.catchUp();
            byte[] old = Files.readAllBytes(s.indexFile());
            s.app.open("a", s.database).exec("a", "update t set x = randomblob(3000) where id = 77");
            s.catchUp();
            s.crash();
            s.app.close("a");
            Files.write(s.indexFile(), old);
            openWriteClose(s, "update t set x = randomblob(3000) where id = 78");
            s.catchUp();
            assertEquals(0, s.services.counters().differenceCopies());
            s.assertRestoresToSource("after the index went back");
        }
    }

    @Test
    void aKillBeforeTheEntriesWereWrittenIsMadeGood() throws Exception {
        try (Setting s = new Setting(directory)) {
            makeDatabase(s);
            s.catchUp();
            s.app.open("a", s.database).exec("a", "insert into t(x) values (zeroblob(30000))");
            s.catchUp();
            byte[] before = Files.readAllBytes(s.indexFile());
            s.app.exec("a", "update t set x = randomblob(3000) where id = 77");
            s.catchUp();
            s.crash();
            byte[] after = Files.readAllBytes(s.indexFile());
            System.arraycopy(after, 0, before, 0, PageIndexFile.HEADER_BYTES);
            assertFalse(Arrays.equals(before, after));
            Files.write(s.indexFile(), before);
            s.app.close("a");
            openWriteClose(s, "update t set x = randomblob(3000) where id = 78");
            s.catchUp();
            assertEquals(1, s.services.counters().differenceCopies());
            assertTrue(s.newestBytes() < FEW_PAGES, s.newestBytes() + " bytes");
            s.assertRestoresToSource("after the entries were completed");
        }
    }

    /** A power cut takes pages of a file that was not synced; its end, and so its checksum, may be there all the same. */
    @Test
    void aTornLocalFileIsNeverUploaded() throws Exception {
        try (Setting s = new Setting(directory)) {
            makeDatabase(s);
            s.catchUp();
            s.app.open("a", s.database).exec("a", "insert into t(x) values (randomblob(30000))");
            s.replicator().sync().look(true);
            s.crashMachine();
            Path local = s.metaPath().resolve("ltx/0/0000000000000002-0000000000000002.ltx");
            byte[] torn = Files.readAllBytes(local);
            Arrays.fill(torn, 8192, 12288, (byte) 0);
            Files.write(local, torn);
            s.catchUp();
            s.assertRestoresToSource("after the torn file");
            assertTrue(s.newestBytes() > 1_000_000, "every page is copied again");
        }
    }

    @Test
    void aRestartOfTheMachineCostsOnlyWhatChanged() throws Exception {
        try (Setting s = new Setting(directory)) {
            makeDatabase(s);
            s.catchUp();
            openWriteClose(s, "update t set x = randomblob(3000) where id = 5");
            s.catchUp();
            s.crashMachine();
            s.catchUp();
            assertEquals(2, s.newestTxid(), "nothing is proven, and nothing differs");
            assertEquals(1, s.services.counters().differenceCopies());
            openWriteClose(s, "update t set x = randomblob(3000) where id = 6");
            s.catchUp();
            assertTrue(s.newestBytes() < FEW_PAGES, s.newestBytes() + " bytes");
            s.assertRestoresToSource("after the restart");
        }
    }

    @Test
    void aGapInTheLocalChainIsBridgedByEveryPage() throws Exception {
        try (Setting s = new Setting(directory)) {
            makeDatabase(s);
            s.catchUp();
            openWriteClose(s, "insert into t(x) values (1)");
            s.replicator().sync().look(true);
            openWriteClose(s, "insert into t(x) values (2)");
            s.replicator().sync().look(true);
            s.crash();
            Files.delete(s.metaPath().resolve("ltx/0/0000000000000002-0000000000000002.ltx"));
            openWriteClose(s, "insert into t(x) values (3)");
            s.catchUp();
            assertEquals(2, s.services.counters().completeCopies(), "a file of differences cannot bridge a gap");
        }
    }

    /** The hash sees every page that is read: a place from which the application can interfere with a read under way. */
    @Test
    void whatIsCommittedAndCheckpointedDuringTheReadIsLaidOver() throws Exception {
        AtomicReference<Runnable> interference = new AtomicReference<>();
        SipHash128 sip = new SipHash128();
        PageHash hash = (key, number, buffer, offset, pageSize, result) -> {
            if (number == 70) {
                Runnable once = interference.getAndSet(null);
                if (once != null) {
                    once.run();
                }
            }
            sip.of(key, number, buffer, offset, pageSize, result);
        };
        try (Setting s = new Setting(directory, hash, JournalPolicy.WAL)) {
            makeDatabase(s);
            s.catchUp();
            s.crash();
            openWriteClose(s, "update t set x = randomblob(3000) where id in (10, 210)");
            s.app.open("a", s.database).exec("a", "update t set x = randomblob(3000) where id in (20, 220)");
            interference.set(() -> s.app.exec("a", "update t set x = randomblob(3000) where id in (5, 10, 150, 390)")
                    .exec("a", "insert into t(x) values (randomblob(50000))")
                    .exec("a", "pragma wal_checkpoint(passive)"));
            s.replicator().sync().look(true);
            assertEquals(null, interference.get(), "nobody interfered");
            s.replicator().upload();
            assertEquals(2, s.newestTxid(), "one file has it all");
            assertTrue(s.newestBytes() < 150_000, s.newestBytes() + " bytes");
            s.assertRestoresToSource("after the interference");
            s.crash();
            s.app.close("a");
            openWriteClose(s, "update t set x = randomblob(3000) where id = 300");
            s.catchUp();
            assertTrue(s.newestBytes() < FEW_PAGES, "the index followed");
            s.assertRestoresToSource("after one more");
        }
    }
}
