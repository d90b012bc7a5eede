#!/usr/bin/env python3
"""A destination that misbehaves as its path says, for the tests of sinks.

    destination.py FOLDER [CERTIFICATE:KEY NAME]...

It listens on 127.0.0.1: plainly, and once for each certificate; and it is a
name server. The ports are printed as one line of JSON:
{"http": 1, "dns": 2, "NAME": 3 …}. Each request is a line of JSON in
FOLDER/requests before it is answered. It ends when its standard input does.

Names: here.test is 127.0.0.1 unless there is FOLDER/nameless, dead.test gets no
answer, others are unknown.
"""
import base64
import email.utils
import json
import os
import random
import re
import socket
import ssl
import struct
import sys
import threading
import time

folder = sys.argv[1]
record = os.open(folder + '/requests', os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
taken = os.open(folder + '/taken', os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
GOOD = b'{"ok":true,"id":"x-17"}'


class Connection:
    """One peer, request after request."""

    def __init__(self, sock):
        self.sock = sock
        self.rest = b''
        self.request = None

    def read_until(self, enough):
        while not enough():
            more = self.sock.recv(65536)
            if not more:
                return False
            self.rest += more
            if self.rest[0] == 0x16:
                # TLS where there is none
                self.sock.sendall(b'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')
                return False
        return True

    def read_request(self):
        if not self.read_until(lambda: b'\r\n\r\n' in self.rest):
            return None
        head, self.rest = self.rest.split(b'\r\n\r\n', 1)
        lines = head.decode('latin-1').split('\r\n')
        method, path, _ = lines[0].split(' ', 2)
        headers = {}
        for line in lines[1:]:
            name, value = line.split(':', 1)
            headers[name.lower()] = value.strip()
        length = int(headers.get('content-length', '0'))
        if not self.read_until(lambda: len(self.rest) >= length):
            return None
        body, self.rest = self.rest[:length], self.rest[length:]
        return {'method': method, 'path': path, 'headers': headers, 'body': body}

    def answer(self, status, body=GOOD, headers=''):
        self.sock.sendall(b'HTTP/1.1 %d Whatever\r\nContent-Length: %d\r\n%s\r\n%s' % (
            status, 0 if status == 204 else len(body), headers.encode(),
            b'' if status == 204 else body))

    def wait_for_end(self):
        while self.sock.recv(65536):
            pass


def date_in(seconds):
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


def hang(c, _):
    c.wait_for_end()


def hangs_while(c, words):
    """Reads and never answers while there is FOLDER/hanging; then refuses what mentions
    the path's next word, and takes the rest."""
    if os.path.exists(folder + '/hanging'):
        c.wait_for_end()
        raise EOFError
    c.answer(422 if words and words[0].encode() in c.request['body'] else 200)


def close(c, _):
    raise EOFError


def cut(c, _):
    c.sock.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"ok":')
    raise EOFError


def garbage(c, _):
    c.sock.sendall(b'\x00\x01\x02 this is no HTTP\r\n\r\n')
    raise EOFError


def slow(c, _):
    c.sock.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n')
    for _ in range(1000000):
        c.sock.sendall(b'x')
        time.sleep(0.02)


def huge(c, _):
    c.sock.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n')
    while True:
        c.sock.sendall(b'x' * 65536)


def status(c, words):
    c.answer(int(words[0]), headers='Location: /status/200\r\n' if words[0][0] == '3' else '')


def retry_after(c, words):
    value = {'date': lambda: date_in(7200), 'seconds': lambda: '7200'}[words[0]]()
    c.answer(503, headers='Retry-After: %s\r\n' % value)


def error_inside(c, _):
    c.answer(200, b'{"ok":false,"errors":[{"code":"NO_SUCH_LIST"}]}')


def takes(c, words):
    c.answer(200, GOOD, headers='X-Result: %s\r\n' % words[0])


def at_place(place):
    """When FOLDER/plug says "PLACE FIFO", a byte goes into the fifo, once: somebody
    there cuts the power."""
    try:
        with open(folder + '/plug') as plug:
            wanted, fifo = plug.read().split()
        if wanted == place:
            os.unlink(folder + '/plug')
            fd = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
            os.write(fd, b'!')
            os.close(fd)
    except FileNotFoundError:
        pass


def take(c):
    events = json.loads(c.request['body'])
    ids = [e['id'] for e in (events if isinstance(events, list) else [events])]
    os.write(taken, ('\n'.join(ids) + '\n').encode())


def whim(c, _):
    """Takes it, refuses it, or loses the connection with it or without; what it
    takes is in FOLDER/taken before it says so."""
    mood = random.random()
    at_place('asked')
    if mood < 0.2:
        c.answer(503)
        at_place('answered')
        return
    if mood > 0.3:
        take(c)
        at_place('taken')
    if mood < 0.45:
        raise EOFError
    time.sleep(random.random() * 0.01)
    c.answer(200)
    at_place('answered')


def sulk(c, _):
    """Refuses, never answers, takes it and loses the connection, or just takes it; what
    it takes is in FOLDER/taken before it says so."""
    mood = random.random()
    if mood < 0.15:
        c.answer(500)
    elif mood < 0.2:
        c.wait_for_end()
    else:
        take(c)
        if mood < 0.3:
            raise EOFError
        time.sleep(random.random() * 0.01)
        c.answer(200)


def admits(c, _):
    """Takes what mentions a line of FOLDER/admitted, and forbids the rest."""
    with open(folder + '/admitted', 'rb') as f:
        admitted = f.read().split()
    c.answer(200 if any(word in c.request['body'] for word in admitted) else 403)


failed = set()


def fails_once(c, _):
    key = c.request['path'] + c.request['headers']['idempotency-key']
    again = key in failed
    failed.add(key)
    c.answer(200 if again else 503)


BEHAVIOURS = {f.__name__.replace('_', '-'): f for f in (
    hang, hangs_while, close, cut, garbage, slow, huge, status, retry_after, error_inside, takes,
    whim, sulk, admits, fails_once)}


def serve(sock, context, port_name):
    try:
        if context:
            sock = context.wrap_socket(sock, server_side=True)
        connection = Connection(sock)
        while True:
            request = connection.read_request()
            if not request:
                break
            line = dict(request, port=port_name,
                        body=base64.b64encode(request['body']).decode())
            os.write(record, json.dumps(line).encode() + b'\n')
            words = re.split('[/?]', request['path'].strip('/'))
            connection.request = request
            BEHAVIOURS[words[0]](connection, words[1:])
    except (OSError, EOFError):
        pass
    finally:
        sock.close()


def listen(context, port_name):
    listener = socket.create_server(('127.0.0.1', 0), backlog=256)

    def accept():
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=serve, args=(sock, context, port_name), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def answer_names(sock):
    while True:
        question, peer = sock.recvfrom(512)
        end = question.index(b'\0', 12) + 5
        name = question[12:end - 5].lower()
        kind = struct.unpack('>H', question[end - 4:end - 2])[0]
        if name == b'\x04dead\x04test':
            continue
        here = name == b'\x04here\x04test' and not os.path.exists(folder + '/nameless')
        found = here and kind == 1
        head = question[:2] + struct.pack('>HHHHH', 0x8180 if here else 0x8183, 1, found, 0, 0)
        answer = b'\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x7f\0\0\x01' if found else b''
        sock.sendto(head + question[12:end] + answer, peer)


def main():
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind(('127.0.0.1', 0))
    threading.Thread(target=answer_names, args=(names,), daemon=True).start()
    ports = {'http': listen(None, 'http'), 'dns': names.getsockname()[1]}
    for files, name in zip(sys.argv[2::2], sys.argv[3::2]):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files.split(':'))
        ports[name] = listen(context, name)
    print(json.dumps(ports), flush=True)
    sys.stdin.read()


main()
