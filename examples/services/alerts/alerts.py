"""Stands for the service: answers every request with its name."""

from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"alerts\n")


if __name__ == "__main__":
    HTTPServer(("", 8002), Handler).serve_forever()
