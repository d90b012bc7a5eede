#!/usr/bin/env python3
"""Opens so many connections to 127.0.0.1:PORT, makes one request on each and holds
them: idle.py PORT COUNT tls|plain. Says "ready" and waits for the end of its input.

Of a connection only the socket is kept: what TLS costs the client is not held."""
import socket
import ssl
import sys

REQUEST = b'GET /bare HTTP/1.1\r\nHost: a\r\n\r\n'
port, count, speaks_tls = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == 'tls'
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


def ask(s):
    if speaks_tls:
        return ask_tls(s)
    s.sendall(REQUEST)
    return s.recv(4096)


for _ in range(count):
    made = socket.create_connection(('127.0.0.1', port))
    if not ask(made).startswith(b'HTTP/1.1 202'):
        sys.exit('no good answer')
    held.append(made)
print('ready', flush=True)
sys.stdin.read()
