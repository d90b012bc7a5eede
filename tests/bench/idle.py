#!/usr/bin/env python3
"""Opens so many connections to 127.0.0.1:PORT, makes one request on each and holds
them: idle.py PORT COUNT tls|plain|h2. Says "ready" and waits for the end of its input.

Of a connection only the socket is kept: what TLS costs the client is not held."""
import socket
import ssl
import sys

REQUEST = b'GET /bare HTTP/1.1\r\nHost: a\r\n\r\n'
# Preface, SETTINGS, and HEADERS: GET, http, authority a, /bare.
REQUEST_H2 = (b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' b'\0\0\0\x04\0\0\0\0\0'
              b'\0\0\x0c\x01\x05\0\0\0\x01' b'\x82\x86\x41\x01a\x44\x05/bare')
port, count, kind = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
held = []


def ask_tls(s):
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(into, out)

    def until_done(step):
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                s.sendall(out.read())
                into.write(s.recv(65536))

    until_done(client.do_handshake)
    client.write(REQUEST)
    return until_done(lambda: client.read(4096))


def ask_h2(s):
    """HEADERS are the last frame that is waited for."""
    s.sendall(REQUEST_H2)
    got, at = b'', 0
    while True:
        while len(got) < at + 9:
            more = s.recv(4096)
            if not more:
                return b''
            got += more
        if got[at + 3] == 1:
            return b'HTTP/1.1 202'
        at += 9 + int.from_bytes(got[at:at + 3], 'big')


def ask(s):
    if kind == 'tls':
        return ask_tls(s)
    if kind == 'h2':
        return ask_h2(s)
    s.sendall(REQUEST)
    return s.recv(4096)


for _ in range(count):
    made = socket.create_connection(('127.0.0.1', port))
    if not ask(made).startswith(b'HTTP/1.1 202'):
        sys.exit('no good answer')
    held.append(made)
print('ready', flush=True)
sys.stdin.read()
