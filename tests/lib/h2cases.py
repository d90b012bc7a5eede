"""What a strict server must refuse in HTTP/2 (RFC 9113) and in its header
compression (RFC 7541), and beside it what it must bear. Run as a program with a
port: one line a case, for 67-http2-wire.t.

A case is a name, the bytes behind preface and SETTINGS, and what becomes of
stream 1: S (that stream alone is reset), C (the connection ends) or E (either:
section 5.4.1 lets a stream error end the connection) with the errors that are
right, or the status of its answer."""
import struct
import sys

from h2wire import *

BIG = 16384


def opened(*more, **parts):
    """A POST whose body is to come, on stream 1."""
    kind = ('content-type', 'application/x-www-form-urlencoded')
    return request(1, kind, *more, ends=False, method='POST', path='/f/contact', **parts)


def blocked(*more):
    """A request on stream 1 that is whole; its answer finds no room (the case's
    window is 0), so the stream stays half-closed."""
    return request(1, *more, path='/nowhere')


def data(payload, flags=END_STREAM, stream=1):
    return frame(DATA, flags, stream, payload)


def block(payload):
    return frame(HEADERS, END_HEADERS | END_STREAM, 1, payload)


def long_number(size):
    return b'\xff' * (size - 1) + b'\x7f'


LENGTH = ('content-length', '5')

FRAMING = [
    ('4.1 a frame of a type that nobody knows is ignored', frame(0x42, 0xff, 7, b'x') + request(1), 202),
    ('4.1 flags that mean nothing are ignored', frame(PING, 0xfe, 0, b'12345678') + request(1), 202),
    ('4.1 the reserved bit is ignored', frame(HEADERS, END_HEADERS | END_STREAM, 1 | 1 << 31, head()), 202),
    ('4.2 HEADERS too large', frame(HEADERS, END_HEADERS, 1, b'x' * (BIG + 1)), 'C', FRAME_SIZE),
    ('4.2 DATA too large', opened() + data(b'x' * (BIG + 1)), 'E', FRAME_SIZE),
    ('4.2 SETTINGS too large', frame(SETTINGS, payload=setting(99, 0) * 2731), 'C', FRAME_SIZE, CALM),
    ('4.2 an unknown frame too large', frame(0x42, payload=b'x' * (BIG + 1)), 'C', FRAME_SIZE),
    ('4.3 DATA within a header block', frame(HEADERS, 0, 1, head()) + data(b''), 'C', PROTOCOL),
    ('4.3 PING within a header block', frame(HEADERS, 0, 1, head()) + frame(PING, payload=bytes(8)), 'C', PROTOCOL),
    ('4.3 an unknown frame within a header block', frame(HEADERS, 0, 1, head()) + frame(0x42, 0, 1), 'C', PROTOCOL),
    ('4.3 other HEADERS within a header block', frame(HEADERS, 0, 1, head()) + request(3), 'C', PROTOCOL),
    ('4.3 CONTINUATION of another stream', frame(HEADERS, 0, 1, head()) + frame(CONTINUATION, END_HEADERS, 3), 'C', PROTOCOL),
    ('4.3 a block in two frames', frame(HEADERS, END_STREAM, 1, head()[:20]) + frame(CONTINUATION, END_HEADERS, 1, head()[20:]), 202),
]

STREAMS = [
    ('5.1 DATA on an idle stream', data(b'x'), 'C', PROTOCOL),
    ('5.1 RST_STREAM on an idle stream', frame(RST_STREAM, 0, 1, bytes(4)), 'C', PROTOCOL),
    ('5.1 WINDOW_UPDATE on an idle stream', frame(WINDOW_UPDATE, 0, 1, b'\0\0\0\1'), 'C', PROTOCOL),
    ('5.1 CONTINUATION on an idle stream', frame(CONTINUATION, END_HEADERS, 1, head()), 'C', PROTOCOL),
    ('5.1 PRIORITY on an idle stream is borne', frame(PRIORITY, 0, 9, bytes(5)) + request(1), 202),
    ('5.1 DATA on a half-closed stream', blocked() + data(b'x'), 'E', STREAM_CLOSED, 0),
    ('5.1 HEADERS on a half-closed stream', blocked() + request(1), 'E', STREAM_CLOSED, 0),
    ('5.1 CONTINUATION on a half-closed stream', blocked() + frame(CONTINUATION, END_HEADERS, 1), 'C', PROTOCOL, STREAM_CLOSED, 0),
    ('5.1 PRIORITY on a half-closed stream is borne', request(1) + frame(PRIORITY, 0, 1, bytes(5)), 202),
    ('5.1 HEADERS on a stream that the peer has reset', opened() + frame(RST_STREAM, 0, 1, b'\0\0\0\x08') + request(1), 'C', STREAM_CLOSED, PROTOCOL),
    ('5.1.1 a stream of an even number', request(2), 'C', PROTOCOL),
    ('5.1.1 a stream that is lower than the last', request(5) + request(3), 'C', PROTOCOL),
    ('5.3.1 HEADERS with a priority', frame(HEADERS, END_HEADERS | END_STREAM | PRIORITY_FLAG, 1, bytes(5) + head()), 202),
]

FRAMES = [
    ('6.1 DATA on stream 0', data(b'x', stream=0), 'C', PROTOCOL),
    ('6.1 more padding than DATA', opened() + frame(DATA, PADDED, 1, b'\x05abcd'), 'C', PROTOCOL),
    ('6.1 as much padding as DATA', opened() + frame(DATA, PADDED, 1, b'\x05abcde'[:5]), 'C', PROTOCOL),
    ('6.1 padded DATA of no length', opened() + frame(DATA, PADDED, 1), 'C', PROTOCOL, FRAME_SIZE),
    ('6.1 DATA of padding alone', opened() + frame(DATA, PADDED | END_STREAM, 1, b'\x03\0\0\0'), 422),
    ('6.2 HEADERS on stream 0', request(0), 'C', PROTOCOL),
    ('6.2 more padding than HEADERS', frame(HEADERS, END_HEADERS | PADDED, 1, b'\xff' + head()), 'C', PROTOCOL),
    ('6.2 padded HEADERS of no length', frame(HEADERS, END_HEADERS | PADDED, 1), 'C', PROTOCOL, FRAME_SIZE),
    ('6.2 HEADERS with half a priority', frame(HEADERS, END_HEADERS | PRIORITY_FLAG, 1, b'\0\0'), 'C', FRAME_SIZE, PROTOCOL),
    ('6.2 padded HEADERS', frame(HEADERS, END_HEADERS | END_STREAM | PADDED, 1, b'\x02' + head() + b'\0\0'), 202),
    ('6.3 PRIORITY on stream 0', frame(PRIORITY, 0, 0, bytes(5)), 'C', PROTOCOL),
    ('6.3 PRIORITY of four bytes', opened() + frame(PRIORITY, 0, 1, bytes(4)), 'E', FRAME_SIZE),
    ('6.4 RST_STREAM on stream 0', frame(RST_STREAM, 0, 0, bytes(4)), 'C', PROTOCOL),
    ('6.4 RST_STREAM of three bytes', opened() + frame(RST_STREAM, 0, 1, bytes(3)), 'C', FRAME_SIZE),
    ('6.4 RST_STREAM of five bytes', opened() + frame(RST_STREAM, 0, 1, bytes(5)), 'C', FRAME_SIZE),
    ('6.5 SETTINGS on a stream', frame(SETTINGS, 0, 1), 'C', PROTOCOL),
    ('6.5 SETTINGS of five bytes', frame(SETTINGS, payload=bytes(5)), 'C', FRAME_SIZE),
    ('6.5 an acknowledgement with settings', frame(SETTINGS, ACK, 0, setting(3, 1)), 'C', FRAME_SIZE),
    ('6.5.2 ENABLE_PUSH of 2', frame(SETTINGS, payload=setting(2, 2)), 'C', PROTOCOL),
    ('6.5.2 INITIAL_WINDOW_SIZE of 2^31', frame(SETTINGS, payload=setting(4, 1 << 31)), 'C', FLOW_CONTROL),
    ('6.5.2 MAX_FRAME_SIZE of 16383', frame(SETTINGS, payload=setting(5, 16383)), 'C', PROTOCOL),
    ('6.5.2 MAX_FRAME_SIZE of 2^24', frame(SETTINGS, payload=setting(5, 1 << 24)), 'C', PROTOCOL),
    ('6.5.2 a setting that nobody knows is ignored', frame(SETTINGS, payload=setting(0xabcd, 7)) + request(1), 202),
    ('9218 2.1 NO_RFC7540_PRIORITIES of 2', frame(SETTINGS, payload=setting(9, 2)), 'C', PROTOCOL),
    ('6.6 PUSH_PROMISE', opened() + frame(PUSH_PROMISE, END_HEADERS, 1, bytes(3) + b'\x02' + head()), 'C', PROTOCOL),
    ('6.7 PING on a stream', frame(PING, 0, 1, bytes(8)), 'C', PROTOCOL),
    ('6.7 PING of seven bytes', frame(PING, payload=bytes(7)), 'C', FRAME_SIZE),
    ('6.7 PING of nine bytes', frame(PING, payload=bytes(9)), 'C', FRAME_SIZE),
    ('6.7 an answer to no PING is borne', frame(PING, ACK, 0, bytes(8)) + request(1), 202),
    ('6.8 GOAWAY on a stream', frame(GOAWAY, 0, 1, bytes(8)), 'C', PROTOCOL),
    ('6.8 GOAWAY of seven bytes', frame(GOAWAY, payload=bytes(7)), 'C', FRAME_SIZE),
    ('6.9 WINDOW_UPDATE of three bytes', frame(WINDOW_UPDATE, payload=bytes(3)), 'C', FRAME_SIZE),
    ('6.9 WINDOW_UPDATE of nothing', frame(WINDOW_UPDATE, payload=bytes(4)), 'C', PROTOCOL),
    ('6.9 WINDOW_UPDATE of nothing on a stream', opened() + frame(WINDOW_UPDATE, 0, 1, bytes(4)), 'E', PROTOCOL),
    ('6.9.1 a window beyond 2^31-1', frame(WINDOW_UPDATE, payload=struct.pack('>I', 0x7fffffff)), 'C', FLOW_CONTROL),
    ('6.9.1 the same of a stream', opened() + frame(WINDOW_UPDATE, 0, 1, struct.pack('>I', 0x7fffffff)), 'E', FLOW_CONTROL),
    ('6.9.1 more DATA than there is room for', opened() + data(b'x' * BIG, 0), 'E', FLOW_CONTROL),
    ('6.9.2 a window that a setting makes too large', opened() + frame(WINDOW_UPDATE, 0, 1, struct.pack('>I', 0x7fff0000)) + frame(SETTINGS, payload=setting(4, 0x7fffffff)), 'C', FLOW_CONTROL),
    ('6.9.2 one that the second of two settings makes too large', opened() + frame(WINDOW_UPDATE, 0, 1, struct.pack('>I', 1 << 30)) + frame(SETTINGS, payload=setting(4, 0) + setting(4, 1 << 30)), 'C', FLOW_CONTROL),
    ('6.9.2 the largest that a setting may make', opened() + frame(WINDOW_UPDATE, 0, 1, struct.pack('>I', 1 << 30)) + frame(SETTINGS, payload=setting(4, (1 << 30) - 1)) + data(b'email=a@example.com'), 202),
    ('6.9.2 a window that is large by a setting alone', opened() + frame(SETTINGS, payload=setting(4, 0x7fffffff)) * 2 + data(b'email=a@example.com'), 202),
    ('6.10 CONTINUATION on stream 0', frame(CONTINUATION, END_HEADERS), 'C', PROTOCOL),
    ('6.10 CONTINUATION behind the end of its block', opened() + frame(CONTINUATION, END_HEADERS, 1), 'C', PROTOCOL),
    ('6.10 more CONTINUATION than is allowed', frame(HEADERS, 0, 1, head()) + frame(CONTINUATION, 0, 1) * 9, 'C', CALM),
]

MESSAGES = [
    ('8.1 trailers that do not end the stream', opened() + frame(HEADERS, END_HEADERS, 1, field('x', 'y')), 'S', PROTOCOL),
    ('8.1 trailers', opened() + data(b'email=t%40example.com', 0) + block(field('x', 'y')), 202),
    ('8.1.1 less than content-length', opened(LENGTH) + data(b'abcd'), 'S', PROTOCOL),
    ('8.1.1 more than content-length', opened(LENGTH) + data(b'abcdef'), 'S', PROTOCOL),
    ('8.1.1 content-length and nothing', request(1, LENGTH), 'S', PROTOCOL),
    ('8.1.1 less than content-length before trailers', opened(LENGTH) + data(b'abcd', 0) + block(field('x', 'y')), 'S', PROTOCOL),
    ('8.1.1 content-length with a sign', opened(('content-length', '+5')) + data(b'abcde'), 'S', PROTOCOL),
    ('8.1.1 content-length twice', opened(LENGTH, LENGTH) + data(b'abcde'), 'S', PROTOCOL),
    ('8.1.1 content-length beyond numbers', opened(('content-length', '9' * 30)) + data(b'abcde'), 'S', PROTOCOL),
    ('8.2.1 a name in upper case', request(1, ('X-Upper', 'y')), 'S', PROTOCOL),
    ('8.2.1 a blank in a name', request(1, ('x y', 'z')), 'S', PROTOCOL),
    ('8.2.1 a colon in a name', request(1, ('x:y', 'z')), 'S', PROTOCOL),
    ('8.2.1 a control character in a name', request(1, ('x\ty', 'z')), 'S', PROTOCOL),
    ('8.2.1 a byte above 127 in a name', request(1, (b'x\xe4', 'z')), 'S', PROTOCOL),
    ('8.2.1 an empty name', request(1, ('', 'z')), 'S', PROTOCOL),
    ('8.2.1 a zero byte in a value', request(1, ('x', 'a\0b')), 'S', PROTOCOL),
    ('8.2.1 a carriage return in a value', request(1, ('x', 'a\rb')), 'S', PROTOCOL),
    ('8.2.1 a line feed in a value', request(1, ('x', 'a\nb')), 'S', PROTOCOL),
    ('8.2.1 a blank before a value', request(1, ('x', ' a')), 'S', PROTOCOL),
    ('8.2.1 a tab behind a value', request(1, ('x', 'a\t')), 'S', PROTOCOL),
    ('8.2.2 connection', request(1, ('connection', 'close')), 'S', PROTOCOL),
    ('8.2.2 keep-alive', request(1, ('keep-alive', 'timeout=5')), 'S', PROTOCOL),
    ('8.2.2 proxy-connection', request(1, ('proxy-connection', 'keep-alive')), 'S', PROTOCOL),
    ('8.2.2 transfer-encoding', opened(('transfer-encoding', 'chunked')), 'S', PROTOCOL),
    ('8.2.2 upgrade', request(1, ('upgrade', 'h2c')), 'S', PROTOCOL),
    ('8.2.2 te that is not trailers', request(1, ('te', 'gzip')), 'S', PROTOCOL),
    ('8.2.2 te: trailers', request(1, ('te', 'trailers')), 202),
    ('8.2.3 a cookie in crumbs', request(1, ('cookie', 'a=1'), ('cookie', 'b=2')), 202),
    ('8.3 an unknown pseudo-header', request(1, first=[(':other', 'x')]), 'S', PROTOCOL),
    ('8.3 a pseudo-header of answers', request(1, first=[(':status', '200')]), 'S', PROTOCOL),
    ('8.3 a pseudo-header behind another header', request(1, (':path', '/up'), without=[':path'], first=[('x', 'y')]), 'S', PROTOCOL),
    ('8.3 a pseudo-header in trailers', opened() + block(field(':path', '/up')), 'S', PROTOCOL),
    ('8.3.1 no :method', request(1, without=[':method']), 'S', PROTOCOL),
    ('8.3.1 no :scheme', request(1, without=[':scheme']), 'S', PROTOCOL),
    ('8.3.1 no :path', request(1, without=[':path']), 'S', PROTOCOL),
    ('8.3.1 an empty :path', request(1, path=''), 'S', PROTOCOL),
    ('8.3.1 :method twice', request(1, first=[(':method', 'GET')]), 'S', PROTOCOL),
    ('8.3.1 :scheme twice', request(1, first=[(':scheme', 'http')]), 'S', PROTOCOL),
    ('8.3.1 :path twice', request(1, first=[(':path', '/up')]), 'S', PROTOCOL),
    ('8.3.1 :authority twice', request(1, first=[(':authority', 'a')]), 'S', PROTOCOL),
    ('8.3.1 neither :authority nor host', request(1, without=[':authority']), 'S', PROTOCOL),
    ('8.3.1 host in the place of :authority', request(1, ('host', 'a'), without=[':authority']), 202),
    ('8.3.1 host as :authority', request(1, ('host', 'a')), 202),
    ('8.3.1 host that is not :authority', request(1, ('host', 'b')), 'S', PROTOCOL),
    ('8.3.1 host twice', request(1, ('host', 'a'), ('host', 'a')), 'S', PROTOCOL),
    ('8.3.1 user information in :authority', request(1, authority='u@a'), 'S', PROTOCOL),
    ('8.3.1 an empty :authority', request(1, authority=''), 'S', PROTOCOL),
    ('8.3.1 a :path without a slash', request(1, path='up'), 'S', PROTOCOL),
    ('8.3.1 a :path that is a URL', request(1, path='http://a/up'), 'S', PROTOCOL),
    ('8.3.1 a blank in :path', request(1, path='/u p'), 'S', PROTOCOL),
    ('8.3.1 * with GET', request(1, path='*'), 'S', PROTOCOL),
    ('8.3.1 a :method that is no token', request(1, method='G T'), 'S', PROTOCOL),
    ('8.3.1 a :scheme that is none of ours', request(1, scheme='ftp'), 'S', PROTOCOL),
    ('8.5 CONNECT with :path', request(1, method='CONNECT'), 'S', PROTOCOL),
    ('8.5 CONNECT', request(1, method='CONNECT', without=[':path', ':scheme']), 501),
    ('10.5.1 a head over its limit', request(1, *[('x', 'y' * 1000)] * 5), 431),
    ('10.5.1 more headers than allowed', request(1, *[('x', 'y')] * 21), 431),
    ('a body over its limit', opened(('content-length', '9000')), 413),
    ('an expectation that cannot be met', opened(('expect', 'miracle')), 417),
]

COMPRESSION_CASES = [
    ('2.3.3 an index that is not there', block(head() + number(70, 7, 0x80)), 'C', COMPRESSION),
    ('2.3.3 the name of an index that is not there', block(head() + number(70, 6, 0x40) + text('x')), 'C', COMPRESSION),
    ('2.3.3 a name that is not there, not kept', block(head() + number(70, 4) + text('x')), 'C', COMPRESSION),
    ('4.2 a table larger than allowed', block(number(4097, 5, 0x20) + head()), 'C', COMPRESSION),
    ('4.2 the size of the table behind a header', block(head() + number(0, 5, 0x20)), 'C', COMPRESSION),
    ('4.2 a smaller table', block(number(0, 5, 0x20) + head()), 202),
    ('4.3 what a smaller table has lost', block(kept('x', 'y') + b'\xbe') + frame(HEADERS, END_HEADERS, 3, b'\x20\xbe'), 'C', COMPRESSION),
    ('5.1 a number without an end', block(head() + long_number(12)), 'C', COMPRESSION),
    ('5.1 a number that is too large', block(head() + b'\xff\xff\xff\xff\xff\x7f'), 'C', COMPRESSION),
    ('5.2 a text longer than its block', block(head() + b'\0\x01x\x7fabc'), 'C', COMPRESSION),
    ('5.2 a text of 2^31 bytes', block(head() + b'\0\x01x' + number(1 << 31, 7)), 'C', COMPRESSION),
    ('5.2 Huffman with the symbol that ends it', block(head() + b'\0\x01x\x84\xff\xff\xff\xff'), 'C', COMPRESSION),
    ('5.2 Huffman with more than seven bits of padding', block(head() + b'\0\x01x\x82\x1f\xff'), 'C', COMPRESSION),
    ('5.2 Huffman with padding of zeros', block(head() + b'\0\x01x\x81\x18'), 'C', COMPRESSION),
    ('6.1 index 0', block(head() + b'\x80'), 'C', COMPRESSION),
    ('6.2 a header without its value', block(head() + b'\0\x01x'), 'C', COMPRESSION),
    ('6.2 a header of one byte', block(head() + b'\0'), 'C', COMPRESSION),
    ('a broken block of trailers', opened() + block(b'\x80'), 'C', COMPRESSION),
    ('a broken block on a stream that is no more', request(1) + frame(HEADERS, END_HEADERS, 1, b'\x80'), 'C', COMPRESSION, PROTOCOL, STREAM_CLOSED),
]

BEGINNINGS = [
    ('3.4 PING before SETTINGS', frame(PING, payload=bytes(8)), 'C', PROTOCOL),
    ('3.4 HEADERS before SETTINGS', request(1), 'C', PROTOCOL),
    ('3.4 an acknowledgement before SETTINGS', frame(SETTINGS, ACK), 'C', PROTOCOL),
]


def too_many_streams(port):
    """5.1.2: the one beyond max_streams is refused, alone or with its connection."""
    wire = Wire(port).meet()
    for stream in range(1, 43, 2):
        wire.send(request(stream, ends=False, method='POST', path='/f/contact'))
    kind, found = wire.outcome(41)
    wire.close()
    return None if found in (PROTOCOL, REFUSED) else f'{kind} {found}'


def too_many_at_once(port, count):
    """5.1.2 and 8.1: without knowing max_streams, posts with trailers; those that have
    no place are refused and the others answered."""
    wire = Wire(port)
    streams = range(1, 1 + 2 * count, 2)
    kind = ('content-type', 'application/x-www-form-urlencoded')
    wire.send(b''.join(request(s, kind, ends=False, method='POST', path='/f/contact') for s in streams)
              + b''.join(data(b'email=%d%%40example.com' % s, 0, s)
                         + frame(HEADERS, END_HEADERS | END_STREAM, s, field('x', 'y')) for s in streams))
    found = [wire.outcome(s) for s in streams]
    wire.close()
    wanted = [('status', 202)] * 20 + [('stream', REFUSED)] * (count - 20)
    return None if found == wanted else str([(f, found.count(f)) for f in set(found)])


def expect(wire, wanted, errors):
    """What is wrong, or None."""
    kind, found = wire.outcome(1)
    if isinstance(wanted, int):
        return None if (kind, found) == ('status', wanted) else f'{kind} {found}'
    while kind not in ('connection', 'closed') and wanted != 'S' and (wanted == 'C' or kind == 'status'):
        if wire.next() is None:  # what was answered before the frame that ends it
            break
        if wire.errors():
            kind, found = 'connection', wire.errors()[0]
    if (kind == 'connection') != (wanted == 'C') and not (wanted == 'E' and kind in ('connection', 'stream')):
        return f'{kind} {found}'
    if found not in errors:
        return f'{kind} error {found}'
    if kind == 'connection' and not wire.at_end():
        return 'the connection stays'
    if kind == 'stream' and not wire.lives(9):
        return 'the connection does not live on'
    return None


def say(name, problem):
    print('not ok' if problem else 'ok', name + (f': {problem}' if problem else ''), flush=True)


def run(port, name, sent, wanted, *errors, begin=True):
    window = 0 if errors[-1:] == (0,) else 65535
    wire = Wire(port, window=window, begin=begin)
    try:
        if begin:
            wire.meet()
        wire.send(sent if begin else PREFACE + sent)
        problem = expect(wire, wanted, errors)
    except TimeoutError:
        problem = 'nothing comes'
    wire.close()
    say(name, problem)


def main():
    port = int(sys.argv[1])
    for case in FRAMING + STREAMS + FRAMES + MESSAGES:
        run(port, '9113 ' * case[0][0].isdigit() + case[0], *case[1:])
    say('9113 5.1.2 more streams than are allowed', too_many_streams(port))
    say('9113 5.1.2 more streams with trailers before it is known how many are allowed', too_many_at_once(port, 25))
    say('9113 6.5.2 so many more that as many errors would be a flood', too_many_at_once(port, 125))
    for case in COMPRESSION_CASES:
        run(port, '7541 ' + case[0], *case[1:])
    for case in BEGINNINGS:
        run(port, '9113 ' + case[0], *case[1:], begin=False)


if __name__ == '__main__':
    main()
