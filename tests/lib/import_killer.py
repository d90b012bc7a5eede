#!/usr/bin/python3
"""Kills whoever imports, in the middle of it.

    import_killer.py STORE

reads lines "ROWS SIGNAL PID NAME": as soon as the journal says that so many rows of the
file of this name are committed, the process gets the signal (0: none), and "killed ROWS
RSS" is printed, with the most memory that it had meanwhile in KiB. When the import is done
before, it is "done ROWS RSS", and "gone" when the process is. ROWS 0 waits for the end."""
import os
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
    """Rows and state. The gateway may be about to make the journal, or the table."""
    global store
    try:
        if store is None:
            store = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, timeout=60)
        rows = store.execute("SELECT rows, state FROM import WHERE name = ?", [name]).fetchall()
    except sqlite3.Error:
        return 0, ""
    return rows[0] if rows else (0, "")


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def main():
    for line in sys.stdin:
        numbers, name = line.split()[:3], line.split()[3]
        target, number, pid = map(int, numbers)
        most = looks = 0
        while True:
            rows, state = standing(sys.argv[1], name)
            if looks % 16 == 0:
                most = max(most, memory(pid))
            looks += 1
            if state == "done":
                print("done", rows, most, flush=True)
                break
            if target and rows >= target:
                os.kill(pid, number)
                print("killed", rows, most, flush=True)
                break
            if not alive(pid):
                print("gone", rows, most, flush=True)
                break
            time.sleep(0.0005 if target else 0.02)


main()
