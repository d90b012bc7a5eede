#!/usr/bin/env python3
"""Clients of tests/bench/attacks: attackers.py normal|attack|lawful ATTACK PORT SECONDS.

normal  posts leads on one connection, one after the other, and times each
attack  does what is named, from as many connections as the attack has, anew when
        the server has closed one
lawful  is as busy as the attacker on as many connections, made anew as often where
        that costs a handshake: requests of the same kind, of which it reads the
        answers

Each says RESULT and what it has counted."""
import os
import socket
import ssl
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from h2floods import FLOODS, FORM, attack as paced_attack, post, p99
from h2wire import *

PATIENCE_S = 30
TICK_S, DIALLED_A_TICK = 0.1, 20
# As tests/bench/attacks configures them.
WRITE_TIMEOUT_S, HEAD_TIMEOUT_S, BODY_TIMEOUT_S, HANDSHAKE_TIMEOUT_S = 1, 2, 3, 2
HELLO = PREFACE + frame(SETTINGS, payload=setting(4, 65535))
HEAD = b'POST /f/contact HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n'
GET = b'GET /bare HTTP/1.1\r\nHost: a\r\n\r\n'


class Tally:
    """What all threads of a client have counted."""

    def __init__(self, seconds):
        self.lock, self.until = threading.Lock(), time.monotonic() + seconds
        self.units, self.connections, self.closed, self.slowest, self.problems = 0, 0, 0, 0.0, 0

    def goes_on(self):
        return time.monotonic() < self.until

    def add(self, units=0, connections=0, problems=0, closed_s=None):
        with self.lock:
            self.units += units
            self.connections += connections
            self.problems += problems
            if closed_s is not None:
                self.closed += 1
                self.slowest = max(self.slowest, closed_s)


def plain(port):
    s = socket.create_connection(('127.0.0.1', port), timeout=PATIENCE_S)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def client_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


CONTEXT = client_context()


def tls(port):
    return CONTEXT.wrap_socket(plain(port))


def client_hello():
    out = ssl.MemoryBIO()
    try:
        CONTEXT.wrap_bio(ssl.MemoryBIO(), out).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def read_to_end(s):
    try:
        while s.recv(65536):
            pass
    except OSError:
        pass


def read_answers(s, count):
    """Of HTTP/1.1, which have no `HTTP/1.1` in their bodies."""
    seen = b''
    while seen.count(b'HTTP/1.1 ') < count or not seen.endswith((b'\r\n\r\n', b'}\n')):
        data = s.recv(65536)
        if not data:
            raise ConnectionResetError
        seen += data


# ---- HTTP/2 -------------------------------------------------------------------------

def flood(port, name, tally):
    kind = FLOODS[name]
    data = HELLO + kind.first + kind.bytes(0, 0 if kind.paced else kind.budget + 50)
    while tally.goes_on():
        if kind.paced:
            taken, _ = paced_attack(port, kind)
        else:
            s, begun = plain(port), time.monotonic()
            try:
                s.sendall(data)
            except OSError:
                pass
            read_to_end(s)
            taken = time.monotonic() - begun
            s.close()
        tally.add(units=kind.budget + 1, connections=1, closed_s=taken)


def stall(port, name, tally):
    data = (PREFACE + frame(SETTINGS, payload=setting(4, 0))
            + b''.join(request(1 + 2 * i, path='/nowhere') for i in range(100)))
    while tally.goes_on():
        s, begun = plain(port), time.monotonic()
        s.sendall(data)
        read_to_end(s)
        tally.add(units=100, connections=1, closed_s=time.monotonic() - begun - WRITE_TIMEOUT_S)
        s.close()


def count_answers(s, rest, count):
    """Reads until so many streams were answered; returns what was read beyond."""
    while True:
        at = 0
        while len(rest) - at >= 9:
            end = at + 9 + int.from_bytes(rest[at:at + 3], 'big')
            if end > len(rest):
                break
            count -= rest[at + 3] in (DATA, HEADERS) and rest[at + 4] & END_STREAM
            at = end
        rest = rest[at:]
        if count <= 0:
            return rest
        data = s.recv(65536)
        if not data:
            raise ConnectionResetError
        rest += data


def requests_h2(port, name, tally):
    """As the attack's are: leads, or no more than a route; many at once, or one."""
    kind = FLOODS.get(name)
    posts = 'under way' in name
    size, stream, rest = 1 if kind and kind.paced and not posts else 50, 1, b''
    block = head(path='/nowhere' if name == 'h2-stalls' else '/bare')
    who = threading.get_ident()
    s = plain(port)
    s.sendall(HELLO + frame(WINDOW_UPDATE, payload=b'\x3f\xff\xff\xff'))
    while tally.goes_on():
        streams = range(stream, stream + 2 * size, 2)
        s.sendall(b''.join(post(i, f'l{who}.{i}%40example.com') if posts
                           else frame(HEADERS, END_HEADERS | END_STREAM, i, block) for i in streams))
        rest = count_answers(s, rest, size)
        stream += 2 * size
        tally.add(units=size)
    s.close()


# ---- HTTP/1.1 over TLS --------------------------------------------------------------

class Drip:
    """A connection on which a byte comes now and then."""

    def __init__(self, port, kind):
        connect, begin, self.limit_s = kind
        self.socket = connect(port)
        self.data = client_hello() if begin is None else b'X' * 500
        self.socket.sendall(begin or b'')
        self.begun = self.alive = time.monotonic()
        self.socket.setblocking(False)

    def is_over(self):
        """Drips; true when the server has ended it."""
        try:
            self.socket.send(self.data[:1])
            self.data = self.data[1:] or b'X'
            return self.socket.recv(65536) == b''
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            self.alive = time.monotonic()
            return False
        except OSError:
            return True


DRIPS = {
    'slow-head': (tls, b'GET / HTTP/1.1\r\nHost: a\r\nX: ', HEAD_TIMEOUT_S),
    'slow-body': (tls, HEAD + b'Content-Length: 500\r\n\r\n', BODY_TIMEOUT_S),
    'slow-chunk': (tls, HEAD + b'Transfer-Encoding: chunked\r\n\r\n1f4\r\n', BODY_TIMEOUT_S),
    'slow-hello': (plain, None, HANDSHAKE_TIMEOUT_S),
}


def pause(tick):
    left = tick + TICK_S - time.monotonic()
    if left > 0:
        time.sleep(left)


def drip(port, name, tally):
    """All of them in one thread."""
    drips = []
    while tally.goes_on():
        tick = time.monotonic()
        # A few at a time: who is busy with handshakes notices the end of others late.
        for _ in range(min(DIALLED_A_TICK, CONNECTIONS[name] - len(drips))):
            drips.append(Drip(port, DRIPS[name]))
        for d in drips[:]:
            tally.add(units=1)
            if d.is_over():
                # When it was alive for certain: this client may come late itself.
                tally.add(connections=1, closed_s=max(0, d.alive - d.begun - d.limit_s))
                d.socket.close()
                drips.remove(d)
        pause(tick)


def requests_ticking(port, name, tally):
    """A request where the attacker sends a byte, and a connection anew where the attacker
    is cut and needs another handshake; who drips hellos never comes to one."""
    lasts_s = DRIPS[name][2] if DRIPS[name][0] is tls else tally.until
    sockets = []
    while tally.goes_on():
        tick = time.monotonic()
        for s, begun in [one for one in sockets if tick - one[1] > lasts_s][:DIALLED_A_TICK]:
            s.close()
            sockets.remove((s, begun))
        for _ in range(min(DIALLED_A_TICK, CONNECTIONS[name] - len(sockets))):
            sockets.append((tls(port), tick))
            tally.add(connections=1)
        for s, _ in sockets:
            s.sendall(GET)
            read_answers(s, 1)
            tally.add(units=1)
        pause(tick)


def never_read(port, name, tally):
    while tally.goes_on():
        s = plain(port)
        for buffer in socket.SO_RCVBUF, socket.SO_SNDBUF: # what waits costs the server, not us
            s.setsockopt(socket.SOL_SOCKET, buffer, 16384)
        s, begun, sent = CONTEXT.wrap_socket(s), time.monotonic(), 0
        s.settimeout(PATIENCE_S)
        try:
            while True:
                s.sendall(b'GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n' * 16)
                sent, begun = sent + 16, time.monotonic()
        except OSError:
            pass
        tally.add(units=sent, connections=1, closed_s=time.monotonic() - begun - WRITE_TIMEOUT_S)
        s.close()


def requests_pipelined(port, name, tally):
    s = tls(port)
    while tally.goes_on():
        s.sendall(b'GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n' * 16)
        read_answers(s, 16)
        tally.add(units=16)


def connect_only(port, name, tally):
    """Says nothing, and keeps what the server lets it keep."""
    held = []
    while tally.goes_on():
        try:
            held.append(plain(port))
            tally.add(units=1, connections=1)
        except OSError:
            tally.add(problems=1)
        if len(held) > 200:
            held.pop(0).close()


def connect_and_ask(port, name, tally):
    while tally.goes_on():
        s = tls(port)
        s.sendall(GET)
        read_answers(s, 1)
        s.close()
        tally.add(units=1, connections=1)


# ---- all of them --------------------------------------------------------------------

CONNECTIONS = {name: 8 for name in FLOODS} | {'h2-stalls': 8} | {name: 200 for name in DRIPS} | {'never-reading': 32, 'connections': 8}
ATTACKS = ({name: (flood, requests_h2) for name in FLOODS} | {'h2-stalls': (stall, requests_h2)}
           | {name: (drip, requests_ticking) for name in DRIPS}
           | {'never-reading': (never_read, requests_pipelined), 'connections': (connect_only, connect_and_ask)})


def normal(name, port, seconds):
    """One that posts leads, by the attack's protocol."""
    until, times, problems = time.monotonic() + seconds, [], 0
    is_h2 = name.startswith('h2')
    wire = Wire(port, timeout=PATIENCE_S).meet() if is_h2 else tls(port)
    stream = 1
    while time.monotonic() < until:
        begun = time.monotonic()
        email = f'n{os.getpid()}.{stream}%40example.com'
        if is_h2:
            wire.send(post(stream, email))
            problems += wire.outcome(stream) != ('status', 202)
            wire.frames.clear()
        else:
            body = b'email=' + email.encode()
            wire.sendall(HEAD + b'Content-Length: %d\r\n\r\n' % len(body) + body)
            problems += not wire.recv(65536).startswith(b'HTTP/1.1 202')
        times.append(time.monotonic() - begun)
        stream += 2
    print(f'RESULT requests={len(times)} p50_ms={sorted(times)[len(times) // 2] * 1000:.3f} p99_ms={p99(times):.3f} problems={problems}')


def run(work, name, port, tally):
    try:
        work(port, name, tally)
    except OSError as problem:
        if tally.goes_on():
            print(f'{name}: {problem!r}', file=sys.stderr)
            tally.add(problems=1)


def main():
    role, name, port, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    if role == 'names':
        print('\n'.join(ATTACKS))
        return
    if role == 'normal':
        normal(name, port, seconds)
        return
    tally = Tally(seconds)
    work = ATTACKS[name][role == 'lawful']
    count = 1 if name in DRIPS else CONNECTIONS[name]
    threads = [threading.Thread(target=run, args=(work, name, port, tally), daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + PATIENCE_S)
    print(f'RESULT units={tally.units} connections={tally.connections} closed={tally.closed} slowest_ms={tally.slowest * 1000:.0f} problems={tally.problems}')


if __name__ == '__main__':
    main()
