"""A web site for a browser test: python3 site.py FOLDER

Serves the files of FOLDER, writes what pages post to /report into FOLDER/reports,
a line each, and relays /relay/… to the gateway, so that a page may look at the
gateway's answer in a frame; the gateway's port stands in FOLDER/gateway. Prints its
own port."""
import http.client
import http.server
import os
import sys
import urllib.parse

folder = sys.argv[1]
PASSED = ('Content-Type', 'Accept', 'Origin', 'Referer')


class Site(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *arguments):
        pass

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        name = os.path.basename(urllib.parse.urlsplit(self.path).path)
        path = os.path.join(folder, name)
        if not os.path.isfile(path):
            return self.answer(404, 'text/plain', b'no such page\n')
        kind = 'text/javascript' if name.endswith('.js') else 'text/html; charset=utf-8'
        with open(path, 'rb') as page:
            self.answer(200, kind, page.read())

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        if self.path == '/report':
            with open(os.path.join(folder, 'reports'), 'ab') as reports:
                reports.write(body + b'\n')
            return self.answer(200, 'text/plain', b'')
        with open(os.path.join(folder, 'gateway')) as port:
            gateway = http.client.HTTPConnection('127.0.0.1', int(port.read()), timeout=60)
        gateway.request('POST', self.path.removeprefix('/relay'), body,
                        {name: self.headers[name] for name in PASSED if self.headers[name]})
        reply = gateway.getresponse()
        self.answer(reply.status, reply.headers['Content-Type'], reply.read())


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Site)
print(server.server_address[1], flush=True)
server.serve_forever()
