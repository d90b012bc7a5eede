"""HTTP/2 as bytes: frames that no library would send, and what a server says to
them. Headers are written without one; hpack reads the server's."""
import socket
import struct

import hpack

PREFACE = b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM = ACK = 1
END_HEADERS, PADDED, PRIORITY_FLAG = 4, 8, 0x20

NO_ERROR, PROTOCOL, INTERNAL, FLOW_CONTROL, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE, REFUSED, CANCEL, COMPRESSION = range(10)
CALM = 11


def frame(kind, flags=0, stream=0, payload=b'', length=None):
    """One frame; `length` is what its header says when that is to be wrong."""
    size = len(payload) if length is None else length
    return struct.pack('>IBBI', size, kind, flags, stream)[1:] + payload


def setting(number, value):
    return struct.pack('>HI', number, value)


def number(value, prefix, first=0):
    """RFC 7541, section 5.1."""
    most = (1 << prefix) - 1
    if value < most:
        return bytes([first | value])
    out, value = [first | most], value - most
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    return bytes(out + [value])


def text(value):
    value = value if isinstance(value, bytes) else value.encode()
    return number(len(value), 7) + value


def field(name, value):
    """A literal that is not kept."""
    return b'\0' + text(name) + text(value)


def kept(name, value):
    """A literal that goes into the dynamic table."""
    return b'\x40' + text(name) + text(value)


def head(*more, method='GET', path='/up', scheme='http', authority='a', without=(), first=()):
    """A header block: the pseudo-headers but those in `without`, then `more`."""
    pseudo = {':method': method, ':path': path, ':scheme': scheme, ':authority': authority}
    fields = list(first) + [(n, v) for n, v in pseudo.items() if n not in without] + list(more)
    return b''.join(field(n, v) for n, v in fields)


def request(stream, *more, ends=True, **parts):
    return frame(HEADERS, END_HEADERS | (END_STREAM if ends else 0), stream, head(*more, **parts))


class Wire:
    """A connection. Reads until something that a case may wait for has come."""

    def __init__(self, port, timeout=20, window=65535, begin=True):
        self.socket = socket.socket()
        self.socket.settimeout(timeout)
        self.socket.connect(('127.0.0.1', port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b''
        self.hpack = hpack.Decoder()
        self.statuses, self.fields, self.resets, self.bodies, self.ended = {}, {}, {}, {}, set()
        self.goaways, self.settings, self.pings, self.frames = [], {}, [], []
        self.closed, self.taken = False, 0
        if begin:
            self.send(PREFACE + frame(SETTINGS, payload=setting(4, window)))

    def meet(self):
        """Waits for the server's settings and says that they hold."""
        self.until(lambda: self.settings)
        return self

    def send(self, data):
        """False: the server reads no more."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def fill(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b''
        self.closed = not data
        self.rest += data

    def next(self):
        """The next frame, or None at the end."""
        while len(self.rest) < 9 or len(self.rest) < 9 + int.from_bytes(self.rest[:3], 'big'):
            if self.closed:
                return None
            self.fill()
        size, kind, flags = int.from_bytes(self.rest[:3], 'big'), self.rest[3], self.rest[4]
        stream = int.from_bytes(self.rest[5:9], 'big') & 0x7fffffff
        payload, self.rest = self.rest[9:9 + size], self.rest[9 + size:]
        self.take(kind, flags, stream, payload)
        return kind, flags, stream, payload

    def take(self, kind, flags, stream, payload):
        self.frames.append((kind, flags, stream, payload))
        if kind == HEADERS:
            fields = self.fields[stream] = dict(self.hpack.decode(payload))
            if ':status' in fields:
                self.statuses.setdefault(stream, []).append(int(fields[':status']))
        elif kind == DATA:
            self.bodies[stream] = self.bodies.get(stream, b'') + payload
            self.make_room(len(payload))
        elif kind == RST_STREAM:
            self.resets.setdefault(stream, []).append(int.from_bytes(payload, 'big'))
        elif kind == GOAWAY:
            self.goaways.append(struct.unpack('>II', payload[:8]))
        elif kind == SETTINGS and not flags & ACK:
            for at in range(0, len(payload), 6):
                n, v = struct.unpack('>HI', payload[at:at + 6])
                self.settings[n] = v
            self.send(frame(SETTINGS, ACK))
        elif kind == PING and flags & ACK:
            self.pings.append(payload)
        if kind in (HEADERS, DATA) and flags & END_STREAM:
            self.ended.add(stream)

    def make_room(self, size):
        """Of the connection's window, which begins with 65535."""
        self.taken += size
        if self.taken > 32768:
            self.send(frame(WINDOW_UPDATE, payload=struct.pack('>I', self.taken)))
            self.taken = 0

    def until(self, condition):
        """Reads until the condition holds; False when the end came before."""
        while not condition():
            if self.next() is None:
                return condition()
        return True

    def outcome(self, stream):
        """What has become of a stream: ('stream', error) when it was reset,
        ('status', code) when it was answered, ('connection', error) or
        ('closed', None) when everything ended."""
        self.until(lambda: stream in self.ended or stream in self.resets or self.errors())
        if self.errors():
            return 'connection', self.errors()[0]
        if self.resets.get(stream, [NO_ERROR]) != [NO_ERROR]:
            return 'stream', self.resets[stream][0]
        if stream in self.statuses and stream in self.ended:
            return 'status', self.statuses[stream][-1]
        return 'closed', None

    def errors(self):
        return [error for _, error in self.goaways if error != NO_ERROR]

    def at_end(self):
        """Reads to the end, which must come."""
        while self.next():
            pass
        return self.closed

    def lives(self, stream):
        """Whether the connection still answers a lawful request."""
        self.send(request(stream))
        return self.outcome(stream) == ('status', 202)

    def close(self):
        self.socket.close()
