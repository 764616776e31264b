"""Lambda's function URLs: an HTTP server that turns requests into events, and the function's results into responses.

docs.aws.amazon.com/lambda, "Invoking Lambda function URLs": payload format 2.0. A body is base64, as AWS sends a posted
form; an invalid result or an error becomes a 502 without text. If the URL has `Cors`, Lambda itself answers a browser's
preflight request (API reference, "Cors").
"""

import base64
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .cloud import HOST

MOST = 6 * 1024 * 1024  # bytes of a request, Lambda's limit
TIMEOUT = 30  # seconds for a request to arrive

Call = Callable[[dict[str, Any]], Any]


class FunctionUrl:
    """The URL of one function; `call` is set before the start."""

    def __init__(self, port: int = 0, cors: Mapping[str, Any] | None = None) -> None:
        self.call: Call = _nothing
        self._cors = cors or {}
        self._server = ThreadingHTTPServer((HOST, port), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """The URL, with a trailing slash like CloudFormation's attribute FunctionUrl."""
        return f"http://{HOST}:{self._server.server_address[1]}/"

    def start(self) -> None:
        """Start to accept requests."""
        self._thread.start()

    def stop(self) -> None:
        """Stop accepting requests; it need not have been started."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def asks_first(self, method: str, headers: Any) -> bool:
        """Whether this is a browser's preflight request (Fetch standard, "CORS-preflight request")."""
        return bool(self._cors) and method == "OPTIONS" and "Access-Control-Request-Method" in headers

    def origin(self, headers: Any) -> dict[str, str]:
        """The headers that let a browser give the response to the page that asked."""
        asking = headers.get("Origin")
        origins = self._cors.get("AllowOrigins", ())
        return {"access-control-allow-origin": asking} if asking and ({"*", asking} & set(origins)) else {}

    def allowed(self, headers: Any) -> dict[str, str]:
        """The headers that let a browser send the request."""
        names = {"headers": "AllowHeaders", "methods": "AllowMethods"}
        lists = {f"access-control-allow-{word}": ",".join(self._cors.get(name, ())) for word, name in names.items()}
        return {**lists, **self.origin(headers)} if self.origin(headers) else {}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        door = self

        class Handler(BaseHTTPRequestHandler):
            timeout = TIMEOUT

            def _do(self) -> None:
                if door.asks_first(self.command, self.headers):
                    self._answer(200, door.allowed(self.headers), b"")
                    return
                length = self.headers.get("Content-Length", "0")
                if not length.isdigit() or int(length) > MOST:
                    self.send_error(413)
                    return
                answer = door.call(event(self.command, self.path, dict(self.headers), self.rfile.read(int(length))))
                status, headers, body = response(answer)
                self._answer(status, {**headers, **door.origin(self.headers)}, body)

            def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _do  # noqa: N815 (the library's)

            def log_message(self, *_: Any) -> None:
                """Log nothing: the function's log is enough."""

        return Handler


def event(method: str, path: str, headers: dict[str, str], body: bytes) -> dict[str, Any]:
    """The event of a request."""
    raw_path, _, query = path.partition("?")
    sent = {"body": base64.b64encode(body).decode("ascii"), "isBase64Encoded": True} if body else {}
    return {
        "version": "2.0",
        "rawPath": raw_path,
        "rawQueryString": query,
        "headers": {name.lower(): value for name, value in headers.items()},
        "requestContext": {"http": {"method": method, "path": raw_path, "sourceIp": HOST}},
        "isBase64Encoded": False,
        **sent,
    }


def response(answer: Any) -> tuple[int, dict[str, str], bytes]:
    """(status, header, body) for a function's return value."""
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return 502, {"content-type": "application/json"}, b'{"message": "Internal Server Error"}'
    body = str(answer.get("body", ""))
    raw = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
    return int(answer["statusCode"]), {str(name): str(value) for name, value in answer.get("headers", {}).items()}, raw


def _nothing(_: dict[str, Any]) -> None:
    return None
