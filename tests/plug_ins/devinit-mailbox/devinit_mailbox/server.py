"""The server itself: one page."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Page(BaseHTTPRequestHandler):
    """Answers every request with the title."""

    def do_GET(self) -> None:  # the name is the library's
        """Send the page."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"<h1>{sys.argv[2]}</h1>".encode())


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
