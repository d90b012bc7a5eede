"""A client that keeps HTTP/2 connections and posts leads on many streams at once,
through whatever its server goes through: h2kept.py PORT CONNECTIONS STREAMS FILE,
until FILE.stop is there. It does what RFC 9113, section 6.8, asks of it: behind a
GOAWAY it opens no stream there, and what the last one did not take it asks again.

FILE gets a line for each receipt, "bad: …" for each request that was lost or
refused, and at last how many it has asked, and its connections."""
import os
import sys
import threading

from h2wire import *
from h2floods import post

PATIENCE_S = 60
port, connections, streams, path = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
lock = threading.Lock()
asked, opened = 0, 0
out = open(path, 'w', buffering=1)


def note(line):
    with lock:
        out.write(line + '\n')


def next_email():
    global asked
    with lock:
        asked += 1
        return f'kept{asked}%40example.com'


def is_stopped():
    return os.path.exists(path + '.stop')


def take(wire, stream, email):
    """An answered stream; true when its request is to be asked again."""
    if wire.resets.get(stream) == [REFUSED]:
        return True
    body = wire.bodies.get(stream, b'')
    if wire.statuses.get(stream) == [202] and b'"receipt":"' in body:
        note(body.split(b'"receipt":"')[1].split(b'"')[0].decode())
    else:
        note(f'bad: {email} {wire.statuses.get(stream)} {wire.resets.get(stream)} {body}')
    return False


def talk(wire, again):
    """One connection to its end; returns what it left to be asked again."""
    under_way, stream = {}, 1
    while True:
        while not wire.goaways and len(under_way) < streams and (again or not is_stopped()):
            under_way[stream] = again.pop() if again else next_email()
            wire.send(post(stream, under_way[stream]))
            stream += 2
        if not under_way:
            return again
        if wire.next() is None:
            break
        for done in [s for s in under_way if s in wire.ended or s in wire.resets]:
            email = under_way.pop(done)
            if take(wire, done, email):
                again.append(email)
        wire.frames.clear()
    last = wire.goaways[-1][0] if wire.goaways else 2 ** 31
    for s, email in under_way.items():
        if s > last:
            again.append(email)
        else:
            note(f'bad: {email} on stream {s} was not answered, GOAWAY {wire.goaways}')
    return again


def keep():
    global opened
    again = []
    try:
        while again or not is_stopped():
            with lock:
                opened += 1
            wire = Wire(port, timeout=PATIENCE_S)
            again = talk(wire, again)
            wire.close()
    except OSError as problem:
        note(f'bad: {problem!r}')


threads = [threading.Thread(target=keep) for _ in range(connections)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
note(f'end {asked} {opened}')
