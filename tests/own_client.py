"""A server that is told what to say, for the client of our own."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from postern_mail.aws.http.connection import Patience, Service
from postern_mail.aws.http.signer import Credentials, Scope

ME = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "token/with+signs==")
NOW = 1_800_000_000.0
SES = Scope("eu-west-1", "ses")


class Script:
    """A server that says what it is told to, a list of (status, header, body) or of the name of a mishap."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.requests: list[tuple[int, str, dict[str, str], bytes]] = []
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                lower = {name.lower(): value for name, value in self.headers.items()}
                script.requests.append((self.client_address[1], self.path, lower, body))
                answer = script.answers.pop(0) if script.answers else (200, {}, b"{}")
                self.close_connection = True
                if answer == "hang up":
                    return
                if answer == "cut off":
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}")
                    return
                if answer == "mumble":
                    self.wfile.write(b"what?\r\n\r\n")
                    return
                status, header, content = answer
                self.close_connection = "hang-up" in header
                self.send_response_only(status)
                for name, value in {**header, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST  # noqa: N815 (http.server's)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self.slept: list[float] = []

    def service(self, attempts: int = 4, reading: float = 20) -> Service:
        patience = Patience(attempts, 3, reading)
        return Service(self.url, SES, lambda: ME, patience, now=lambda: NOW, sleep=self.slept.append)

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)
