#!/usr/bin/python3
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""HTTPS servers that do what a CRL's server may do, and what it may not.

usage: server.py DIRECTORY CERTIFICATE...

One server for each certificate, a PEM file with its key; "-" is one without
TLS.  Prints their ports in one line, then a line for each request:

    METHOD PATH HEADERS     those headers that matter, NAME=VALUE
    gone PATH               the client of a /hang has left

Ends when its standard input does, which is the end of the test at the latest.
"""

import http.server
import os
import pathlib
import ssl
import sys
import threading
import time

LOGGED = ["If-Modified-Since", "User-Agent", "Accept-Encoding", "Cookie",
          "Authorization", "Referer"]
SAY = threading.Lock()


def say(line: str) -> None:
    with SAY:
        print(line, flush=True)


class Handler(http.server.SimpleHTTPRequestHandler):
    """/files/NAME is a file of the directory; all else is trouble."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        pass

    def handle(self):
        try:
            super().handle()
        except OSError:  # a client that does not like our certificate
            pass

    def translate_path(self, path):
        name = path.split("?")[0].removeprefix("/files/")
        return str(pathlib.Path(self.directory, name))

    def do_GET(self):
        headers = " ".join(f"{name}={self.headers[name].replace(' ', '_')}"
                           for name in LOGGED if name in self.headers)
        say(f"{self.command} {self.path} {headers}")
        self.close_connection = True
        what, _, argument = self.path.split("?")[0][1:].partition("/")
        if what == "files":
            super().do_GET()
        else:
            getattr(self, "do_" + what)(argument)

    def start(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def do_status(self, status):
        self.start(int(status), Content_Length="4",
                   Location=f"https://{self.headers['Host']}/files/a.crl",
                   Set_Cookie="a=b; Path=/")
        self.wfile.write(b"body")

    def do_not_modified(self, _):
        self.start(304)

    def do_empty(self, _):
        self.start(200, Content_Length="0")

    def do_announce(self, length):
        """Says how much will come, and lets it come."""
        self.start(200, Content_Length=length)
        self.wfile.write(bytes(int(length)))

    def do_chunked(self, length):
        """Does not say how much will come; "endless" is for ever."""
        self.start(200, Transfer_Encoding="chunked")
        left = sys.maxsize if length == "endless" else int(length)
        while left > 0:
            size = min(left, 1000)
            self.wfile.write(b"%x\r\n%s\r\n" % (size, bytes(size)))
            left -= size
        self.wfile.write(b"0\r\n\r\n")

    def do_drip(self, size):
        """So many bytes every tenth of a second, for ever."""
        self.start(200, Transfer_Encoding="chunked")
        while True:
            self.wfile.write(
                b"%x\r\n%s\r\n" % (int(size), bytes(int(size))))
            time.sleep(0.1)

    def do_gate(self, name):
        """The file, once there is another one, NAME.open."""
        while not pathlib.Path(self.directory, name + ".open").exists():
            time.sleep(0.005)
        self.path = "/files/" + name
        super().do_GET()

    def do_half(self, _):
        self.start(200, Content_Length="1000")
        self.wfile.write(b"half")

    def do_close(self, _):
        pass

    def do_garbage(self, _):
        self.wfile.write(b"\x00\xff\r\n\r\n")

    def do_hang(self, _):
        """Never answers; notices that the client does not wait."""
        while self.rfile.read(1):
            pass
        say(f"gone {self.path}")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, directory: str, certificate: str):
        self.context = None
        if certificate != "-":
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)
        super().__init__(
            ("127.0.0.1", 0),
            lambda *args: Handler(*args, directory=directory))

    def get_request(self):
        client, address = super().get_request()
        if self.context is not None:
            client = self.context.wrap_socket(
                client, server_side=True, do_handshake_on_connect=False)
        return client, address

    def handle_error(self, request, client_address):
        pass


def main() -> None:
    directory, *certificates = sys.argv[1:]
    servers = [Server(directory, certificate) for certificate in certificates]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    say(" ".join(str(server.server_address[1]) for server in servers))
    while sys.stdin.buffer.read(1):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
