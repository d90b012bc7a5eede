"""Attacks on an HTTP/2 server, each beside a client that behaves. Run as a
program with a port and the seconds that one attack lasts (0: until its first
connection is closed): one line a check, for 68-http2-floods.t."""
import sys
import threading
import time

from h2wire import *

FORM = ('content-type', 'application/x-www-form-urlencoded')
PATIENCE_S = 30


def post(stream, email, *more, ends=True):
    body = b'email=' + email.encode()
    return (request(stream, FORM, ('content-length', str(len(body))), *more, ends=False, method='POST', path='/f/contact')
            + frame(DATA, END_STREAM if ends else 0, stream, body))


class Neighbour(threading.Thread):
    """Posts leads on a connection of its own, one after the other."""

    def __init__(self, port):
        super().__init__()
        self.port, self.over, self.problem, self.times = port, False, None, []
        self.start()

    def run(self):
        wire, stream = Wire(self.port, timeout=PATIENCE_S), 1
        try:
            while not self.over or not self.times:
                begun = time.monotonic()
                wire.send(post(stream, f'{threading.get_ident()}.{stream}%40example.com'))
                found = wire.outcome(stream)
                if found != ('status', 202):
                    raise ValueError(f'answered {found}')
                self.times.append(time.monotonic() - begun)
                stream += 2
        except (OSError, ValueError) as problem:
            self.problem = str(problem)
        wire.close()

    def stop(self):
        self.over = True
        self.join()
        return self.problem


def repeat(first, more, size=50):
    """A flood: what begins it, and then what `more` makes of each number."""
    def pieces():
        yield first
        n = 0
        while True:
            yield b''.join(more(i) for i in range(n, n + size))
            n += size
    return pieces


def open_post():
    return request(1, FORM, ends=False, method='POST', path='/f/contact')


def canceled(i):
    return request(1 + 2 * i, path='/up', ends=False) + frame(RST_STREAM, 0, 1 + 2 * i, b'\0\0\0\x08')


def made_to_reset(i):
    """Whole requests, under way, on which we are then made to give up."""
    stream = 1 + 2 * i
    return post(stream, f'm{i}%40example.com') + frame(WINDOW_UPDATE, 0, stream, b'\x7f\xff\xff\xff')


FLOODS = {
    'h2-resets': repeat(b'', canceled),
    'h2-errors': repeat(b'', lambda i: request(1 + 2 * i, ('X-Upper', 'x')), 1),
    'h2-errors, made of requests under way': repeat(b'', made_to_reset, 1),
    'h2-continuations': repeat(frame(HEADERS, 0, 1, head()), lambda i: frame(CONTINUATION, 0, 1)),
    'h2-settings': repeat(b'', lambda i: frame(SETTINGS, payload=setting(3, i))),
    'h2-pings': repeat(b'', lambda i: frame(PING, payload=i.to_bytes(8, 'big'))),
    'h2-empty-data': repeat(open_post(), lambda i: frame(DATA, 0, 1)),
    'h2-priorities': repeat(b'', lambda i: frame(PRIORITY, 0, 1 + 2 * i, bytes(5))),
    'h2-window-updates': repeat(b'', lambda i: frame(WINDOW_UPDATE, payload=b'\0\0\0\1')),
    'h2-other-frames': repeat(b'', lambda i: frame(0x42, payload=b'x')),
    'h2-head': repeat(frame(HEADERS, END_HEADERS, 1, head() + kept('x', 'y' * 3000) + b'\xbe' * 8000), lambda i: b''),
}
# Their streams end one after the other, or max_streams would end them.
PACED = ('h2-errors', 'h2-errors, made of requests under way')


def attack(port, pieces, paced):
    """Until the server has had enough. How long that took, and its error. Paced:
    each piece is a stream, and the next waits until it has ended."""
    wire = Wire(port, timeout=PATIENCE_S).meet()
    begun, sent = time.monotonic(), 1
    for piece in pieces():
        if not wire.send(piece) or time.monotonic() - begun > PATIENCE_S:
            break
        if paced and piece:
            wire.until(lambda: len(wire.resets.keys() | wire.ended) == sent or wire.errors())
            sent += 1
            continue
        wire.socket.setblocking(False)
        try:
            wire.fill()
        except BlockingIOError:
            pass
        wire.socket.settimeout(PATIENCE_S)
        if wire.closed:
            break
    wire.at_end()
    taken = time.monotonic() - begun
    wire.close()
    return taken, wire.errors()


def say(good, what):
    print('ok' if good else 'not ok', what, flush=True)


def p99(times):
    return sorted(times)[len(times) * 99 // 100] * 1000


def flood(port, name, pieces, seconds):
    neighbour = Neighbour(port)
    until = time.monotonic() + seconds
    count, slowest, errors = 0, 0, []
    while count == 0 or time.monotonic() < until:
        taken, found = attack(port, pieces, name in PACED)
        count, slowest, errors = count + 1, max(slowest, taken), errors + found
    problem = neighbour.stop()
    # A reset of the connection may overtake the word that goes before it.
    say(set(errors) <= {CALM} and (errors or count > 1), f'{name}: the server asks for calm {errors[:3]}')
    say(slowest < PATIENCE_S, f'{name}: and closes {count} connections')
    say(problem is None, f'{name}: a neighbour is served {problem or ""}')
    if seconds:
        print(f'# {name}: closed after {slowest * 1000:.0f} ms at most, {len(neighbour.times)} leads of the neighbour, p99 {p99(neighbour.times):.1f} ms', flush=True)


def stalls(port):
    """Answers for which there is never room."""
    neighbour = Neighbour(port)
    wire = Wire(port, timeout=PATIENCE_S, window=0)
    wire.send(b''.join(request(1 + 2 * i, path='/nowhere') for i in range(20)))
    wire.at_end()
    say(wire.errors() == [CALM], f'h2-stalls: the server asks for calm {wire.errors()}')
    say(set(sum(wire.resets.values(), [])) == {CANCEL}, 'h2-stalls: having given up the answers')
    problem = neighbour.stop()
    say(problem is None, f'h2-stalls: a neighbour is served {problem or ""}')
    wire.close()


def slowness(port):
    """What does not come in time: a head ends the connection, a body its stream."""
    wire = Wire(port, timeout=PATIENCE_S).meet()
    wire.send(frame(HEADERS, 0, 1, head()))
    say(wire.at_end() and wire.goaways == [(1, NO_ERROR)], 'head-timeout: half a head ends the connection')
    wire.close()
    wire = Wire(port, timeout=PATIENCE_S).meet()
    wire.send(open_post() + frame(DATA, 0, 1, b'email='))
    say(wire.outcome(1) == ('status', 408), 'body-timeout: half a body is answered 408')
    say(wire.lives(3), 'body-timeout: … and the connection lives on')
    wire.close()
    wire = Wire(port, timeout=PATIENCE_S).meet()
    wire.send(b'\0\0')
    say(wire.at_end(), 'head-timeout: half the header of a frame ends the connection')
    wire.close()


def main():
    port, seconds = int(sys.argv[1]), float(sys.argv[2])
    for name, pieces in FLOODS.items():
        flood(port, name, pieces, seconds)
    stalls(port)
    slowness(port)


if __name__ == '__main__':
    main()
