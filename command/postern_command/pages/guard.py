"""Checks every request before it reaches a page, and sets the security headers of every response."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from .gate import FORM_TOKEN, Gate, Refusal

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

START = "/start"
MAX_FORM = 256 * 1024  # bytes; an alias with a hundred destinations has 30,000
MAX_FIELDS = 200
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
_FORM = "application/x-www-form-urlencoded"
_READS = ("GET", "HEAD")


class Guard:
    """The application behind the gate. With `read_only` it accepts no actions."""

    def __init__(self, app: App, gate: Gate, *, read_only: bool = False) -> None:
        self._app = app
        self._gate = gate
        self._read_only = read_only

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Handle one request (asgi.readthedocs.io/en/latest/specs/www.html)."""
        if scope["type"] != "http":
            return

        async def closed(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = {name for name, _ in HEADERS}
                kept = [pair for pair in message.get("headers", ()) if pair[0].lower() not in ours]
                message = {**message, "headers": [*kept, *HEADERS]}
            await send(message)

        try:
            fields = _Fields(scope["headers"])
            self._gate.host(fields.all("host"))
            self._gate.site(fields.get("sec-fetch-site"))
            if scope["path"] == START and scope["method"] == "GET":
                token = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[-1]
                self._gate.start(token)
                entered = ((b"location", b"/"), (b"set-cookie", self._gate.cookie.encode()))
                await _answer(closed, HTTPStatus.SEE_OTHER, "", entered)
                return
            self._gate.session(fields.cookies())
            if scope["method"] not in _READS:
                receive, scope = await self._form(scope, fields, receive)
        except Refusal as refusal:
            await _answer(closed, refusal.status, f"{refusal}\n", ())
            return
        await self._app(scope, receive, closed)

    async def _form(self, scope: Message, fields: "_Fields", receive: Receive) -> tuple[Receive, Message]:
        """Read and check the form of an action. Raises Refusal."""
        if self._read_only:
            raise Refusal(HTTPStatus.FORBIDDEN, "this page was started with --read-only")
        if scope["method"] != "POST":
            raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "an action must be a POST")
        self._gate.origin(fields.get("host") or "", fields.get("origin"), fields.get("sec-fetch-site"))
        if (fields.get("content-type") or "").partition(";")[0].strip().lower() != _FORM:
            raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"an action must be a form, {_FORM}")
        body = await _whole(receive)
        try:
            form = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
        except ValueError as fault:
            raise Refusal(HTTPStatus.BAD_REQUEST, "the form cannot be read") from fault
        self._gate.form(scope["path"], form.pop(FORM_TOKEN, [""])[-1])

        async def nothing_more() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        return nothing_more, {**scope, "form": form}


class _Fields:
    """The header fields of a request, by name in lower case."""

    def __init__(self, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        self._pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in pairs]

    def all(self, name: str) -> list[str]:
        return [value for one, value in self._pairs if one == name]

    def get(self, name: str) -> str | None:
        """The value; several, which no browser sends, are joined, so that no check accepts them."""
        found = self.all(name)
        return found[0] if len(found) == 1 else ",".join(found) if found else None

    def cookies(self) -> dict[str, str]:
        try:
            return {name: one.value for name, one in SimpleCookie("; ".join(self.all("cookie"))).items()}
        except CookieError:
            return {}


async def _whole(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refusal(HTTPStatus.BAD_REQUEST, "the form was cut off")
        body += message.get("body", b"")
        if len(body) > MAX_FORM:
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a form may have at most {MAX_FORM} bytes")
        if not message.get("more_body"):
            return bytes(body)


async def _answer(send: Send, status: HTTPStatus, text: str, headers: Iterable[tuple[bytes, bytes]]) -> None:
    body = text.encode()
    plain = ((b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": int(status), "headers": [*plain, *headers]})
    await send({"type": "http.response.body", "body": body})
