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


class Flood:
    """What begins it, and then what `more` makes of each number. `budget`: so many
    of those are borne and one more is not. Paced: each is a stream of its own,
    and the next waits until it has ended, or max_streams would end them."""

    def __init__(self, budget, first, more, paced=False):
        self.budget, self.first, self.more, self.paced = budget, first, more, paced
        self.size = 1 if paced else 50

    def bytes(self, start, end):
        return b''.join(self.more(i) for i in range(start, end))

    def pieces(self):
        """(bytes, how many these and all before are)"""
        yield self.first, 0
        n = 0
        while True:
            yield self.bytes(n, n + self.size), n + self.size
            n += self.size


def open_post():
    return request(1, FORM, ends=False, method='POST', path='/f/contact')


def canceled(i):
    return request(1 + 2 * i, path='/up', ends=False) + frame(RST_STREAM, 0, 1 + 2 * i, b'\0\0\0\x08')


def made_to_reset(i):
    """Whole requests, under way, on which we are then made to give up."""
    stream = 1 + 2 * i
    return post(stream, f'm{i}%40example.com') + frame(WINDOW_UPDATE, 0, stream, b'\x7f\xff\xff\xff')


def too_short(i):
    """The body has not the length that its head says."""
    stream = 1 + 2 * i
    return request(stream, FORM, ('content-length', '9'), ends=False, method='POST', path='/f/contact') + frame(DATA, END_STREAM, stream, b'email=')


# Wire says its settings and acknowledges the server's. A request adds to some budgets.
FLOODS = {
    'h2-resets': Flood(100, b'', canceled),
    'h2-errors': Flood(100, b'', lambda i: request(1 + 2 * i, ('X-Upper', 'x')), paced=True),
    'h2-errors, lengths that differ': Flood(100, b'', too_short, paced=True),
    'h2-errors, made of requests under way': Flood(100, b'', made_to_reset, paced=True),
    'h2-continuations': Flood(4, frame(HEADERS, 0, 1, head()), lambda i: frame(CONTINUATION, 0, 1)),
    'h2-settings': Flood(20 - 2, b'', lambda i: frame(SETTINGS, payload=setting(3, i))),
    'h2-pings': Flood(100, b'', lambda i: frame(PING, payload=i.to_bytes(8, 'big'))),
    'h2-empty-data': Flood(100 + 1, open_post(), lambda i: frame(DATA, 0, 1)),
    'h2-empty-data, of padding alone': Flood(100 + 1, open_post(), lambda i: frame(DATA, PADDED, 1, b'\x02\0\0')),
    'h2-priorities': Flood(200, b'', lambda i: frame(PRIORITY, 0, 1 + 2 * i, bytes(5))),
    'h2-window-updates': Flood(1000, b'', lambda i: frame(WINDOW_UPDATE, payload=b'\0\0\0\1')),
    'h2-other-frames': Flood(100, b'', lambda i: frame(0x42, payload=b'x')),
    'h2-head': Flood(0, frame(HEADERS, END_HEADERS, 1, head() + kept('x', 'y' * 3000) + b'\xbe' * 8000), lambda i: b''),
}


def attack(port, flood):
    """Until the server has had enough. How long that took after what it bears, and
    its error."""
    wire = Wire(port, timeout=PATIENCE_S).meet()
    begun, crossed, ended = time.monotonic(), None, 1
    for piece, sent in flood.pieces():
        if crossed is None and sent >= flood.budget:
            crossed = time.monotonic()
        if not wire.send(piece) or time.monotonic() - begun > PATIENCE_S:
            break
        if flood.paced and piece:
            wire.until(lambda: len(wire.resets.keys() | wire.ended) == ended or wire.errors())
            ended += 1
            if wire.errors():
                break
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
    taken = time.monotonic() - crossed
    wire.close()
    return taken, wire.errors()


def is_borne(wire, name, flood):
    """Whether all that the budget allows is."""
    wire.send(flood.first)
    if flood.paced:
        for i in range(flood.budget):
            wire.send(flood.more(i))
            wire.until(lambda: len(wire.resets.keys() | wire.ended) == i + 1 or wire.errors())
    elif name == 'h2-pings':
        wire.send(flood.bytes(0, flood.budget))
        return wire.until(lambda: len(wire.pings) == flood.budget)
    elif name == 'h2-continuations':
        wire.send(flood.bytes(1, flood.budget) + frame(CONTINUATION, END_HEADERS, 1))
    else:
        wire.send(flood.bytes(0, flood.budget))
    wire.send(frame(PING, payload=b'budgets!'))
    return wire.until(lambda: b'budgets!' in wire.pings)


def bounds(port, name, flood):
    """So much is borne and one more is not, whenever it comes."""
    wire = Wire(port, timeout=PATIENCE_S).meet()
    say(is_borne(wire, name, flood), f'{name}: {flood.budget} are borne {wire.errors()}')
    if name == 'h2-continuations': # that head was whole
        wire.close()
        wire = Wire(port, timeout=PATIENCE_S).meet()
        wire.send(flood.first + flood.bytes(0, flood.budget))
    wire.send(flood.more(flood.budget))
    wire.at_end()
    say(wire.errors() == [CALM], f'{name}: and one more is not {wire.errors()}')
    wire.close()


def say(good, what):
    print('ok' if good else 'not ok', what, flush=True)


def p99(times):
    return sorted(times)[len(times) * 99 // 100] * 1000


def flood(port, name, kind, seconds):
    neighbour = Neighbour(port)
    until = time.monotonic() + seconds
    count, slowest, errors = 0, 0, []
    while count == 0 or time.monotonic() < until:
        taken, found = attack(port, kind)
        count, slowest, errors = count + 1, max(slowest, taken), errors + found
    problem = neighbour.stop()
    # A reset of the connection may overtake the word that goes before it.
    say(set(errors) <= {CALM} and (errors or count > 1), f'{name}: the server asks for calm {errors[:3]}')
    say(slowest < PATIENCE_S, f'{name}: and closes {count} connections')
    say(problem is None, f'{name}: a neighbour is served {problem or ""}')
    if seconds:
        print(f'# {name}: closed {slowest * 1000:.0f} ms after its budget at most, {len(neighbour.times)} leads of the neighbour, p99 {p99(neighbour.times):.1f} ms', flush=True)


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
    half, body, frame_header = (Wire(port, timeout=PATIENCE_S).meet() for _ in range(3))
    half.send(frame(HEADERS, 0, 1, head()))
    body.send(open_post() + frame(DATA, 0, 1, b'email='))
    frame_header.send(b'\0\0')
    say(half.at_end() and half.goaways == [(1, NO_ERROR)], 'head-timeout: half a head ends the connection')
    say(body.outcome(1) == ('status', 408), 'body-timeout: half a body is answered 408')
    say(body.lives(3), 'body-timeout: … and the connection lives on')
    say(frame_header.at_end(), 'head-timeout: half the header of a frame ends the connection')
    for wire in half, body, frame_header:
        wire.close()


def main():
    port, seconds = int(sys.argv[1]), float(sys.argv[2])
    for name, kind in FLOODS.items():
        if kind.budget > 0:
            bounds(port, name, kind)
        flood(port, name, kind, seconds)
    stalls(port)
    slowness(port)


if __name__ == '__main__':
    main()
