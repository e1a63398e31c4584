#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""mirror.py DIR: a mirror of packages for the tests of setup.sh, with the faults of one. Serves DIR/mirror on the port
that it prints.

DIR/breaks, if it is there, holds how many of the next answers with a package break off in their middle. Who asks for the
suite that DIR/silent names gets no answer, and who asks for the one that DIR/hangs names waits for it; that somebody
does is written to the FIFO DIR/hanging. Which packages are asked for is written to DIR/requests: name and first byte.
"""

import http.server
import os
import re
import sys
import urllib.parse

top = sys.argv[1]


def take_break():
    try:
        with open(f"{top}/breaks") as file:
            left = int(file.read())
    except FileNotFoundError:
        return False
    with open(f"{top}/breaks", "w") as file:
        file.write(str(max(left - 1, 0)))
    return left > 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def is_of_suite(self, fault):
        try:
            with open(f"{top}/{fault}") as file:
                return f"/{file.read().strip()}/" in self.path
        except FileNotFoundError:
            return False

    def hang(self):
        with open(f"{top}/hanging", "w") as file:
            file.write("it came\n")
        self.rfile.read(1)
        self.close_connection = True

    def do_GET(self):
        path = urllib.parse.unquote(self.path)
        if self.is_of_suite("hangs"):
            return self.hang()
        if self.is_of_suite("silent"):
            self.close_connection = True
            return None
        try:
            with open(f"{top}/mirror{path}", "rb") as file:
                data = file.read()
        except OSError:
            return self.send_error(404)
        asked = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        if asked and start >= len(data):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(data)}")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        rest = data[start:]
        if path.endswith(".deb"):
            with open(f"{top}/requests", "a") as file:
                file.write(f"{os.path.basename(path)} {start}\n")
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Last-Modified", "Sun, 01 Nov 2026 00:00:00 GMT")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if path.endswith(".deb") and take_break():
            rest = rest[: len(rest) // 2]
            self.close_connection = True
        self.wfile.write(rest)


class Mirror(http.server.ThreadingHTTPServer):
    daemon_threads = True

    # apt leaves when it has no room for more
    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


server = Mirror(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
