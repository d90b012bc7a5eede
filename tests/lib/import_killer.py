#!/usr/bin/python3
"""Kills whoever imports, in the middle of it.

    import_killer.py STORE

reads lines "ROWS SIGNAL PID NAME": as soon as the journal says that so many rows of the
file of this name are committed, the process gets the signal (0: none), and "killed ROWS
RSS" is printed, with the most memory that it had meanwhile in KiB. When the import is done
before, it is "done ROWS RSS", and "gone" when the process is. ROWS 0 waits for the end.

With "step" behind it the process runs for a millisecond at a time and is held while the
journal is looked at: so it does not get away, however busy the machine is. A file behind
that is what the import says: the signal waits until it has told of rows in it."""
import os
import signal
import sqlite3
import sys
import time

store = None


def memory(pid):
    try:
        with open(f"/proc/{pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024
    except (OSError, IndexError):
        return 0


def standing(path, name):
    """Rows and state. The gateway may be about to make the journal, or the table, or be held
    where nobody may read: then it is looked at again."""
    global store
    try:
        if store is None:
            store = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, timeout=0.05)
        rows = store.execute("SELECT rows, state FROM import WHERE name = ?", [name]).fetchall()
    except sqlite3.Error:
        return 0, ""
    return rows[0] if rows else (0, "")


def has_told(path):
    with open(path, encoding="utf-8") as said:
        return '"state":"reading"' in said.read()


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def main():
    for line in sys.stdin:
        words = line.split()
        target, number, pid = map(int, words[:3])
        name, steps, said = words[3], words[4:5] == ["step"], words[5:6]
        most = looks = 0
        while True:
            rows, state = standing(sys.argv[1], name)
            if looks % 16 == 0:
                most = max(most, memory(pid))
            looks += 1
            if state == "done":
                if steps:
                    os.kill(pid, signal.SIGCONT)
                print("done", rows, most, flush=True)
                break
            reached = target and rows >= target
            if reached and (not said or has_told(said[0])):
                os.kill(pid, number)
                print("killed", rows, most, flush=True)
                break
            if not alive(pid):
                print("gone", rows, most, flush=True)
                break
            if steps:
                os.kill(pid, signal.SIGCONT)
            time.sleep(0.001 if target else 0.02)
            if steps:
                os.kill(pid, signal.SIGSTOP)
            if reached:
                time.sleep(0.05)  # held: it says something by the clock


main()
