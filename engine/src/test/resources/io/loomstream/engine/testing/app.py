"""An application under test: runs one SQLite statement per input line and answers with one line.

Input:  operation TAB connection TAB base64(argument); output: "ok" or "error", TAB, base64(text).
Rows come back with US (0x1f) between columns and RS (0x1e) between rows.
"""
import base64
import sqlite3
import sys
import time

connections = {}


def run(operation, name, argument):
    if operation == "open":
        path, timeout = argument.rsplit("\x1f", 1)
        connections[name] = sqlite3.connect(path, timeout=float(timeout), isolation_level=None)
        return ""
    if operation == "close":
        connections.pop(name).close()
        return ""
    if operation == "repeat":
        times, pause, statement = argument.split("\x1f")
        for _ in range(int(times)):
            connections[name].execute(statement).fetchall()
            time.sleep(float(pause))
        return ""
    rows = connections[name].execute(argument).fetchall()
    return "\x1e".join("\x1f".join("" if v is None else str(v) for v in row) for row in rows)


for line in sys.stdin:
    operation, name, argument = line.rstrip("\n").split("\t")
    try:
        status, text = "ok", run(operation, name, base64.b64decode(argument).decode())
    except sqlite3.Error as error:
        status, text = "error", "%s: %s" % (type(error).__name__, error)
    print(status + "\t" + base64.b64encode(text.encode()).decode(), flush=True)
