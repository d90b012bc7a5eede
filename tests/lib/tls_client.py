#!/usr/bin/env python3
"""TLS clients for tests, good and bad ones, driven by lines of JSON.

Each line of standard input is {"op": …}, each gets one line of JSON back: what
it found, or {"error": …}. Connections have names of the test's choosing ("as").
It ends when its standard input does.
"""
import hashlib
import json
import re
import socket
import ssl
import struct
import sys
import threading
import warnings

warnings.simplefilter('ignore', DeprecationWarning)  # old versions are asked for on purpose
PATIENCE = float(sys.argv[1]) if len(sys.argv) > 1 else 30
VERSIONS = {'1.1': ssl.TLSVersion.TLSv1_1, '1.2': ssl.TLSVersion.TLSv1_2, '1.3': ssl.TLSVersion.TLSv1_3}
sockets = {}
sessions = {}
pending = {}
loads = []


def context(o):
    made = ssl.create_default_context(cafile=o['ca'])
    made.check_hostname = o.get('verify', True)
    if not o.get('verify', True):
        made.verify_mode = ssl.CERT_NONE
    if o.get('foreign'):
        made = ssl.create_default_context()
        made.check_hostname = False
    if o.get('max') == '1.1':
        made.set_ciphers('ALL:@SECLEVEL=0')
        made.minimum_version = ssl.TLSVersion.TLSv1
    if o.get('ciphers'):
        made.set_ciphers(o['ciphers'])
    if o.get('max'):
        made.maximum_version = VERSIONS[o['max']]
    if o.get('min'):
        made.minimum_version = VERSIONS[o['min']]
    if o.get('alpn'):
        made.set_alpn_protocols(o['alpn'])
    return made


def dial(o):
    return socket.create_connection(('127.0.0.1', o['port']), timeout=PATIENCE)


def fingerprint(s):
    return hashlib.sha256(s.getpeercert(True)).hexdigest()


def memory(o):
    """A client without a socket, and what it says first."""
    out = ssl.MemoryBIO()
    into = ssl.MemoryBIO()
    client = context(o).wrap_bio(into, out, server_hostname=o.get('name'))
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return client, into, out


class Carried:
    """TLS over a socket on which something else is said first."""

    def __init__(self, o):
        self.socket = dial(o)
        self.tls, self.into, self.out = memory(o)
        if o['joined']:
            self.socket.sendall(o['before'].encode() + self.out.read())
        else:
            for byte in o['before'].encode():
                self.socket.sendall(bytes([byte]))
        self.until_done(self.tls.do_handshake)

    def flush(self):
        self.socket.sendall(self.out.read())

    def until_done(self, step):
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self.flush()
                more = self.socket.recv(65536)
                if more:
                    self.into.write(more)
                else:
                    self.into.write_eof()

    def sendall(self, data):
        self.tls.write(data)
        self.flush()

    def recv(self, size):
        return self.until_done(lambda: self.tls.read(size))

    def unwrap(self):
        self.until_done(self.tls.unwrap)
        self.flush()
        return self.socket


def connect(o):
    if o.get('before'):
        s = Carried(o)
        sockets[o['as']], pending[o['as']] = s, b''
        return {'version': s.tls.version()}
    s = dial(o)
    before = sessions.get(o.get('resume'))
    made = before[0] if before else context(o)
    s = made.wrap_socket(s, server_hostname=o.get('name'), suppress_ragged_eofs=False,
                         session=before[1] if before else None)
    sockets[o['as']] = s
    pending[o['as']] = b''
    return {'version': s.version(), 'cipher': s.cipher()[0], 'alpn': s.selected_alpn_protocol(),
            'fingerprint': fingerprint(s), 'resumed': s.session_reused,
            'compression': s.compression()}


def plain(o):
    sockets[o['as']] = dial(o)
    pending[o['as']] = b''
    return {}


def hello(o):
    """The first bytes of a hello, all but so many of them."""
    out = memory(o)[2]
    plain(o)
    whole = out.read()
    sockets[o['as']].sendall(whole[:len(whole) - o['without']])
    return {'length': len(whole)}


def keep(o):
    sessions[o['session']] = (sockets[o['as']].context, sockets[o['as']].session)
    return {}


def send(o):
    sockets[o['as']].sendall(o['text'].encode('latin-1'))
    return {}


def read_answer(s, rest):
    """(status, connection, body, rest); None at the end."""
    while True:
        head = re.match(rb'HTTP/1\.1 (\d+) .*?\r\n\r\n', rest, re.S)
        if head:
            length = re.search(rb'(?i)\r\ncontent-length: *(\d+)', head.group(0))
            end = head.end() + (int(length.group(1)) if length else 0)
            if head.group(1) != b'100' and len(rest) >= end:
                closes = re.search(rb'(?i)\r\nconnection: *close', head.group(0)) is not None
                return int(head.group(1)), closes, rest[head.end():end], rest[end:]
            if head.group(1) == b'100':
                return 100, False, b'', rest[head.end():]
        more = s.recv(65536)
        if not more:
            return None
        rest += more


def answer(o):
    found = read_answer(sockets[o['as']], pending[o['as']])
    if not found:
        return {'end': True}
    pending[o['as']] = found[3]
    return {'status': found[0], 'closes': found[1], 'body': found[2].decode('latin-1')}


def end(o):
    """Reads to the end and says how it came."""
    s, text = sockets[o['as']], pending[o['as']]
    try:
        while True:
            more = s.recv(65536)
            if not more:
                how = 'notified' if isinstance(s, ssl.SSLSocket) else 'closed'
                break
            text += more
    except ssl.SSLEOFError:
        how = 'truncated'
    except ssl.SSLError as error:
        how = 'alert: ' + (error.reason or str(error))
    except ConnectionResetError:
        how = 'reset'
    s.close()
    return {'text': text.decode('latin-1'), 'how': how}


def close(o):
    s = sockets.pop(o['as'])
    if o['how'] == 'notify':
        s = s.unwrap()
    if o['how'] == 'reset':
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    s.close()
    return {}


class Load(threading.Thread):
    """Posts a lead after another: on connections of its own, or on one that it
    keeps until it is told that it ends."""

    def __init__(self, o, number):
        super().__init__(daemon=True)
        self.o, self.number, self.keeps = o, number, number % 2 == 1
        self.context = context(o)
        self.stopping = threading.Event()
        self.count, self.handshakes, self.errors, self.fingerprints = 0, 0, [], set()
        self.socket, self.rest = None, b''
        self.start()

    def open(self):
        self.socket = self.context.wrap_socket(dial(self.o), server_hostname=self.o['name'],
                                               suppress_ragged_eofs=False)
        self.rest = b''
        self.handshakes += 1
        self.fingerprints.add(fingerprint(self.socket))

    def once(self):
        if not self.socket:
            self.open()
        body = 'email=load%d-%d%%40example.com' % (self.number, self.count)
        self.socket.sendall(('POST /f/contact HTTP/1.1\r\nHost: a\r\nContent-Type: application/'
                             'x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s'
                             % (len(body), body)).encode())
        found = read_answer(self.socket, self.rest)
        if not found or found[0] != 202:
            raise RuntimeError('answer: %r' % (found,))
        self.rest = found[3]
        self.count += 1
        if found[1] or not self.keeps:
            self.socket.unwrap().close()
            self.socket = None

    def run(self):
        while not self.stopping.is_set():
            try:
                self.once()
            except Exception as error:
                self.errors.append('%s: %s' % (type(error).__name__, error))
                self.socket = None


def load(o):
    loads.extend(Load(o, number) for number in range(o['threads']))
    return {}


def progress(o):
    return {'count': sum(each.count for each in loads), 'least': min(each.count for each in loads),
            'errors': [error for each in loads for error in each.errors]}


def stop(o):
    for each in loads:
        each.stopping.set()
    for each in loads:
        each.join()
    return {'count': sum(each.count for each in loads),
            'handshakes': sum(each.handshakes for each in loads if not each.keeps),
            'kept': sum(each.handshakes for each in loads if each.keeps),
            'errors': [error for each in loads for error in each.errors],
            'fingerprints': sorted(set().union(*(each.fingerprints for each in loads)))}


for line in sys.stdin:
    order = json.loads(line)
    try:
        said = globals()[order['op']](order)
    except Exception as problem:
        said = {'error': '%s: %s' % (type(problem).__name__, problem)}
    print(json.dumps(said), flush=True)
