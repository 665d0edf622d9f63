"""A reader of a followed database: reads it over and over until its input ends, then prints what it saw.

Every state says its number in seq.n and again in each row of t. A transaction must see one number only, and no later
transaction a smaller one. Prints "ok READS STATES CHECKS" or "bad WHAT".
"""
import select
import sqlite3
import sys

path, fresh = sys.argv[1], sys.argv[2] == "fresh"


def connect():
    return sqlite3.connect(path, timeout=60, isolation_level=None)


def fail(what):
    print("bad " + what, flush=True)
    sys.exit(1)


reads, checks, newest, states = 0, 0, 0, set()
connection = connect()
while not select.select([sys.stdin], [], [], 0)[0]:
    try:
        if fresh and reads % 5 == 0:
            connection.close()
            connection = connect()
        connection.execute("begin")
        n = connection.execute("select n from seq").fetchone()[0]
        low, high, bytes_ = connection.execute("select min(n), max(n), sum(length(text)) from t").fetchone()
        again = connection.execute("select n from seq").fetchone()[0]
        if reads % 20 == 0:
            checks += 1
            answer = connection.execute("pragma integrity_check").fetchone()[0]
            if answer != "ok":
                fail("integrity_check at %d: %s" % (n, answer))
        connection.execute("commit")
    except sqlite3.Error as error:
        fail("%s: %s" % (type(error).__name__, error))
    if not n == low == high == again:
        fail("torn: seq %d and %d, rows %d to %d" % (n, again, low, high))
    if n < newest:
        fail("went back from %d to %d" % (newest, n))
    newest = n
    states.add(n)
    reads += 1
print("ok %d %d %d" % (reads, len(states), checks), flush=True)
