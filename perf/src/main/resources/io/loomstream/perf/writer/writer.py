"""Applications that write: the Python twin of WriterMain, with python3's own SQLite library.

Arguments: seed, then for each database HABIT=PATH. Ends in order when its input ends. Prints, while it works, lines
"commits INDEX COUNT", and at the end "tally INDEX COMMITS BUSY CORRUPT PROTOCOL OTHER REFUSED".
"""
import hashlib
import os
import random
import sqlite3
import sys
import threading
import time

stop = threading.Event()
printing = threading.Lock()


def say(line):
    with printing:
        print(line, flush=True)


class Writer(threading.Thread):
    def __init__(self, index, habit, path, seed):
        super().__init__()
        self.index, self.habit, self.path = index, habit, path
        self.random = random.Random(seed)
        self.tally = dict.fromkeys(["commits", "busy", "corrupt", "protocol", "other", "refused"], 0)
        self.connection = None

    def open(self):
        if self.connection is None:
            self.connection = sqlite3.connect(self.path, timeout=5, isolation_level=None)
            self.connection.execute("pragma synchronous=normal")
            if self.habit in ("OWN_CHECKPOINTS", "NO_AUTOCHECKPOINT"):
                self.connection.execute("pragma wal_autocheckpoint=0")
            if self.habit == "BIG_TRANSACTIONS":
                self.connection.execute("pragma cache_size=20")
        return self.connection

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def run(self):
        turns = 0
        while not stop.is_set():
            turns += 1
            try:
                self.turn(turns)
            except sqlite3.Error as error:
                self.count(error)
                self.roll_back()
            stop.wait(self.random.random() * 0.004)
        try:
            self.close()
        except sqlite3.Error as error:
            self.count(error)
        say("tally %d %s" % (self.index, " ".join(str(v) for v in self.tally.values())))

    def roll_back(self):
        try:
            if self.connection is not None and self.connection.in_transaction:
                self.connection.execute("rollback")
        except sqlite3.Error as error:
            self.count(error)

    def count(self, error):
        text = str(error)
        kind = ("busy" if "locked" in text else "corrupt" if "malformed" in text or "not a database" in text
                else "protocol" if "locking protocol" in text else "other")
        self.tally[kind] += 1
        sys.stderr.write("%s %s: %r\n" % (self.habit, self.path, error))

    def turn(self, turns):
        if self.habit == "OPEN_WRITE_CLOSE":
            self.close()
        if self.habit == "JOURNAL_TOGGLES" and turns % 40 == 0:
            self.toggle()
        if self.habit == "OWN_CHECKPOINTS" and turns % 20 == 0:
            mode = self.random.choice(["passive", "full", "restart", "truncate"])
            self.open().execute("pragma wal_checkpoint(%s)" % mode).fetchall()
        if self.habit == "DELETES_AND_VACUUM" and turns % 150 == 0:
            self.open().execute("delete from body where seq % 10 > 0")
            self.open().execute("vacuum")
        if self.habit == "BIG_TRANSACTIONS" and turns % 10 == 0:
            self.transaction(self.random.randrange(100, 800), turns % 30 > 0)
        else:
            self.transaction(self.random.randrange(1, 5), True)
        if self.habit in ("OPEN_WRITE_CLOSE", "JOURNAL_TOGGLES"):
            self.close()

    def toggle(self):
        mode = self.random.choice(["delete", "truncate", "persist", "wal", "wal"])
        connection = sqlite3.connect(self.path, timeout=0.2, isolation_level=None)
        try:
            if connection.execute("pragma journal_mode=" + mode).fetchone()[0] != mode:
                self.tally["refused"] += 1
        except sqlite3.OperationalError:
            self.tally["refused"] += 1
        finally:
            connection.close()

    def transaction(self, rows, commit):
        connection = self.open()
        connection.execute("begin immediate")
        last = connection.execute("select seq, tx, hash from chain order by seq desc limit 1").fetchone()
        seq, tx, link = last if last else (0, 0, bytes(32))
        for _ in range(rows):
            seq += 1
            size = self.random.randrange(20000 if self.random.random() < 0.02 else 2000)
            link = hashlib.sha256(link + ("%d:%d" % (seq, size)).encode()).digest()
            connection.execute("insert into chain values (?, ?, ?, ?)", (seq, tx + 1, size, link))
            connection.execute("insert into body values (?, ?)", (seq, (link * (size // 32 + 1))[:size]))
        connection.execute("delete from body where seq <= ?", (seq - 3000,))
        if not commit:
            connection.execute("rollback")
            return
        connection.execute("commit")
        self.tally["commits"] += 1
        say("commits %d %d" % (self.index, self.tally["commits"]))


def main():
    seed = int(sys.argv[1])
    writers = []
    for index, argument in enumerate(sys.argv[2:]):
        habit, path = argument.split("=", 1)
        writers.append(Writer(index, habit, path, seed * 1000 + index))
    for writer in writers:
        writer.start()
    sys.stdin.read()
    stop.set()
    for writer in writers:
        writer.join()
    sys.stdout.flush()
    os._exit(0)


main()
