#!/usr/bin/env python3
"""A vendor's API for the tests of sources, which answers as it was told.

    vendor.py FOLDER

It listens on 127.0.0.1 and prints its port. FOLDER/answers is JSON, read anew for each
request: {"PATH?QUERY" or "PATH": [ANSWER, …]}, of which each is given once and the last
for ever; "*" is for all other paths. An answer is {"status": 200, "headers": {}, "body":
TEXT}, and one of "half" (bytes of the body until the connection is cut), "silent" (true:
cut without a word), "wait" (a file: answered when it is there). Each request is a line of
JSON in FOLDER/asked before it is answered. It ends when its standard input does.
"""
import collections
import http.server
import json
import os
import sys
import threading
import time

folder = sys.argv[1]
record = os.open(folder + '/asked', os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
given = collections.Counter()
lock = threading.Lock()


def choose(target):
    """The answer to give now, and a mark for the list that it is from."""
    with open(folder + '/answers', encoding='utf-8') as source:
        text = source.read()
    answers = json.loads(text)
    for name in (target, target.split('?')[0], '*'):
        if name in answers:
            with lock:
                number = given[(name, json.dumps(answers[name]))]
                given[(name, json.dumps(answers[name]))] += 1
            return answers[name][min(number, len(answers[name]) - 1)]
    return {'status': 404, 'body': '{"error":{"message":"nothing is here"}}'}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        length = int(self.headers.get('Content-Length') or 0)
        asked = {'method': self.command, 'target': self.path, 'headers': dict(self.headers),
                 'body': self.rfile.read(length).decode('utf-8', 'replace')}
        os.write(record, (json.dumps(asked) + '\n').encode())
        answer = choose(self.path)
        while 'wait' in answer and not os.path.exists(answer['wait']):
            time.sleep(0.01)
        if answer.get('silent'):
            self.close_connection = True
            return
        body = answer.get('body', '').encode()
        self.send_response_only(answer.get('status', 200))
        for name, value in answer.get('headers', {}).items():
            self.send_header(name, value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if 'half' in answer:
            body = body[:answer['half']]
            self.close_connection = True
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass  # whoever asked is gone


server = Server(('127.0.0.1', 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
