"""The bounds of a server as an HTTP/2 client meets them: h2bounds.py WHAT PORT,
one line a check, for 85-http2-bounds.t, which configures them."""
import select
import socket
import sys
import time

from h2wire import *

FORM = ('content-type', 'application/x-www-form-urlencoded')
PATIENCE_S = 30


def say(good, what):
    print('ok' if good else 'not ok', what, flush=True)


def begin(wire, stream, *more, path='/f/contact'):
    """A POST whose body is to come."""
    wire.send(request(stream, FORM, *more, ends=False, method='POST', path=path))


def body(stream, size, who='a'):
    begun = b'email=' + who.encode() + b'%40example.com&message='
    return begun + b'x' * (size - len(begun))


def length(size):
    return 'content-length', str(size)


def meet(port):
    return Wire(port, timeout=PATIENCE_S).meet()


def has_heard(wire):
    """All that was sent before has been looked at."""
    wire.send(frame(PING, payload=b'%8d' % len(wire.pings)))
    seen = len(wire.pings)
    return wire.until(lambda: len(wire.pings) > seen)


# ---- displaced: max_connections is 4 ------------------------------------------------

def idle(port, stream=1):
    """Answered once, and idle from a moment that no other one has. Its loop has called it
    idle, which may be later than the answer, when it answers what comes then."""
    wire = meet(port)
    say(wire.lives(stream) and has_heard(wire), 'a connection is served')
    time.sleep(0.02)
    return wire


def ended_by(wire):
    return wire.at_end() and [error for _, error in wire.goaways]


def displaced(port):
    first, busy = idle(port), meet(port)
    begin(busy, 1, length(100))
    say(has_heard(busy), 'a request is under way')
    second, third = idle(port), idle(port)
    fourth = idle(port)
    say(ended_by(first) == [NO_ERROR], f'the longest-idle one goes, with GOAWAY {first.goaways}')
    fifth = idle(port)
    say(ended_by(second) == [NO_ERROR], f'then the next one {second.goaways}')
    for wire in third, fourth, fifth:
        begin(wire, 3, length(100))
        say(has_heard(wire), 'all have a request under way')
    more = Wire(port, timeout=PATIENCE_S)
    say(more.at_end() and not more.frames, 'none goes for one more, which is turned away')
    for wire, stream in (busy, 1), (third, 3), (fourth, 3), (fifth, 3):
        wire.send(frame(DATA, END_STREAM, stream, body(stream, 100, f'd{id(wire)}')))
        say(wire.outcome(stream) == ('status', 202), 'and each is answered')


# ---- buffered: max_buffered is 64 KiB -----------------------------------------------

def turned_away(wire, stream, status):
    wire.until(lambda: stream in wire.statuses)
    retry = wire.fields.get(stream, {}).get('retry-after', '')
    return wire.statuses.get(stream) == [status] and retry.isdigit() and int(retry) > 0


def by_chunks(wire, stream, size):
    """A body whose head did not say how long it is; what is over it is not sent."""
    begin(wire, stream)
    for at in range(0, size, 4096):
        wire.send(frame(DATA, 0, stream, body(stream, 4096) if at == 0 else b'x' * 4096))
        has_heard(wire)
        if stream in wire.statuses:
            return at + 4096
    return size


def pieces(stream, data):
    return b''.join(frame(DATA, END_STREAM if at + 10000 >= len(data) else 0, stream, data[at:at + 10000])
                    for at in range(0, len(data), 10000))


def is_taken(wire, stream, size=60000):
    """Whether a body, as a rule of nearly all that may be held, finds room."""
    begin(wire, stream, length(size))
    wire.send(pieces(stream, body(stream, size, f'large{stream}')))
    return wire.outcome(stream) == ('status', 202)


def is_told(wire, stream):
    """Whether a stream is turned away: all that was said of it until now has come."""
    has_heard(wire)
    has_heard(wire)
    return stream in wire.statuses and turned_away(wire, stream, 503)


def hold(holder, stream):
    """40,000 bytes of a body, and the rest of it."""
    begin(holder, stream, length(50000))
    whole = body(stream, 50000, f'holder{stream}')
    for at in range(0, 40000, 10000):
        holder.send(frame(DATA, 0, stream, whole[at:at + 10000]))
    has_heard(holder)
    return whole[40000:]


def beside(holder, other, stream):
    """What becomes of others beside a body that was there first; None: it took so long
    that it might have had to give way."""
    begun = time.monotonic()
    rest = hold(holder, stream)
    begin(other, stream, length(30000))
    by_length = is_told(other, stream)
    sent = by_chunks(other, stream + 2, 60000)
    by_bytes = is_told(other, stream + 2)
    begin(other, stream + 4, length(100))
    other.send(frame(DATA, END_STREAM, stream + 4, body(stream + 4, 100, f'small{stream}')))
    small = other.outcome(stream + 4) == ('status', 202)
    holder.send(frame(DATA, END_STREAM, stream, rest))
    first = holder.outcome(stream) == ('status', 202)
    in_time = time.monotonic() - begun < 1
    return (by_length, sent, by_bytes, small, first) if in_time else None


def buffered(port):
    until, stream, found = time.monotonic() + PATIENCE_S, 1, None
    while not found and time.monotonic() < until:
        holder, other = meet(port), meet(port)
        found = beside(holder, other, stream)
        stream += 6
    by_length, sent, by_bytes, small, first = found or (False, 0, False, False, False)
    say(by_length, 'a body that has no room beside another: 503 by its length alone')
    say(by_bytes, f'one that does not say how long it is: 503 after {sent} bytes')
    say(16384 < sent <= 32768, 'as soon as there is no more room')
    say(small, 'a small one is taken')
    say(first, 'and so is the one that was there first')
    holder, other = meet(port), meet(port)
    stalled = Wire(port, timeout=PATIENCE_S, window=0)
    begin(stalled, 1, length(50000))
    stalled.send(pieces(1, body(1, 50000, 'stalled')))
    say(stalled.until(lambda: 1 in stalled.statuses) and not stalled.ended, 'an answer that is not read')
    say(is_taken(other, 7), 'holds no body')
    begin(holder, 3)
    holder.send(b''.join(frame(DATA, 0, 3, b'x' * 10000) for _ in range(5)))
    has_heard(holder)
    holder.send(frame(RST_STREAM, 0, 3, b'\0\0\0\x08'))
    say(has_heard(holder) and is_taken(other, 9), 'a request that is canceled gives back what it held')
    begin(holder, 5)
    holder.send(b''.join(frame(DATA, 0, 5, b'x' * 10000) for _ in range(5)))
    has_heard(holder)
    holder.close()
    until, stream = time.monotonic() + PATIENCE_S, 11
    while not is_taken(other, stream) and time.monotonic() < until: # the end is heard later
        stream += 2
    say(time.monotonic() < until, 'and so does a connection that is closed')


# ---- the same: who has been sending for longest gives way ---------------------------

def gives_way(other, stream):
    """Whether there is room at last for a body that has none beside one of 40,000."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if is_taken(other, stream, 30000):
            return True
        stream += 2
        time.sleep(0.05)
    return False


def elders(port):
    """Connections are dealt to two loops in turn."""
    holder, other = meet(port), meet(port)
    hold(holder, 1)
    say(gives_way(other, 1), 'a body of another loop gives way when it has been sent for long')
    say(turned_away(holder, 1, 503), 'and is told so')
    say(holder.lives(3), 'the connection goes on')
    plain = socket.create_connection(('127.0.0.1', port), timeout=PATIENCE_S)
    plain.sendall(b'POST /f/contact HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n'
                  b'Content-Length: 50000\r\n\r\n' + body(0, 40000))
    until, stream = time.monotonic() + PATIENCE_S, 100001
    while is_taken(other, stream, 30000) and time.monotonic() < until:  # it is on its way still
        stream += 2
        if select.select([plain], [], [], 0)[0]:
            break  # or has given way already
    say(gives_way(other, stream + 2), 'and so does one that comes over HTTP/1.1')
    answer = b''.join(iter(lambda: plain.recv(65536), b''))
    say(answer.startswith(b'HTTP/1.1 503 ') and b'retry-after:' in answer.lower(), 'which is told so, too')


# ---- heads: who is turned away before the body --------------------------------------

def limited(port):
    """The source takes two."""
    wire = meet(port)
    for stream in 1, 3:
        begin(wire, stream, length(100), path='/f/slow')
        wire.send(frame(DATA, END_STREAM, stream, body(stream, 100, f'p{stream}')))
        say(wire.outcome(stream) == ('status', 202), 'a source within its burst')
    begin(wire, 5, length(100), path='/f/slow')
    say(turned_away(wire, 5, 429), 'and beyond it: 429 by the head alone, with Retry-After')
    say(wire.lives(7), 'the connection goes on')
    wire.send(frame(DATA, END_STREAM, 5, body(5, 100)))
    say(wire.lives(9), 'and also when the body comes after all')


def full(port):
    """The journal's queue is."""
    wire = meet(port)
    begin(wire, 1, length(100))
    say(turned_away(wire, 1, 503), 'the queue is full: 503 by the head alone, with Retry-After')
    say(wire.lives(3), 'the connection goes on')


if __name__ == '__main__':
    {'displaced': displaced, 'buffered': buffered, 'elders': elders, 'limited': limited, 'full': full}[sys.argv[1]](int(sys.argv[2]))
