"""Writes down what is posted to it, a line each; says at which port it listens."""

import http.server
import json
import sys


class Hearer(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with open(sys.argv[1], "a") as heard:
            heard.write(json.dumps(body) + "\n")
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hearer)
print(server.server_port, flush=True)
server.serve_forever()
