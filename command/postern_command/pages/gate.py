"""Decides which requests are allowed. A loopback address is not a trust boundary: every site that the browser has open
can send requests there, even by a name of its own that resolves to 127.0.0.1 (DNS rebinding).

One user has one session: a one-time token in the address that was opened is exchanged for a cookie; each form carries a
proof that it belongs to this session and path.
"""

import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

IDLE = 3600.0  # seconds without a request after which the page ends
FORM_TOKEN = "form_token"  # noqa: S105 (the name of a field)
_OURS = ("same-origin", "none")  # Sec-Fetch-Site of our own pages, and of an address that the user typed or opened


class Refusal(Exception):
    """The request is refused; `status` is the HTTP status, the message says why."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(slots=True)
class Gate:
    """The session of one user. `clock` returns monotonic seconds."""

    port: int
    clock: Callable[[], float]
    token: str | None = field(default_factory=lambda: secrets.token_urlsafe(32))  # None once it was used
    _session: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    _asked_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._asked_at = self.clock()

    @property
    def hosts(self) -> tuple[str, ...]:
        """The allowed values of the Host field (RFC 9110 section 7.2)."""
        return (f"127.0.0.1:{self.port}", f"[::1]:{self.port}", f"localhost:{self.port}")

    @property
    def cookie_name(self) -> str:
        """The cookie's name, with the port: cookies are not separated by port (RFC 6265 section 8.5)."""
        return f"postern-{self.port}"

    @property
    def cookie(self) -> str:
        """The Set-Cookie field; the cookie ends with the browser's session."""
        return f"{self.cookie_name}={self._session}; HttpOnly; SameSite=Strict; Path=/"

    @property
    def idle(self) -> float:
        """The seconds since this session's last request."""
        return self.clock() - self._asked_at

    def host(self, hosts: list[str]) -> None:
        """Refuse a request to any other host name (RFC 9110 section 15.5.20)."""
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            raise Refusal(HTTPStatus.MISDIRECTED_REQUEST, "this page answers only at this machine's loopback address")

    def start(self, token: str) -> None:
        """Accept the token in the address that was opened, once."""
        if self.token is None or not _same(token, self.token):
            raise Refusal(HTTPStatus.FORBIDDEN, "this address works only once; start `postern page` again")
        self.token = None
        self._asked_at = self.clock()

    def site(self, site: str | None) -> None:
        """Refuse a request that the browser attributes to another site, or another port."""
        if site is not None and site not in _OURS:
            raise Refusal(HTTPStatus.FORBIDDEN, "this request comes from another site")

    def session(self, cookies: Mapping[str, str]) -> None:
        """Refuse a request without the session's cookie."""
        if not _same(cookies.get(self.cookie_name, ""), self._session):
            raise Refusal(HTTPStatus.FORBIDDEN, "open the address that `postern page` printed")
        self._asked_at = self.clock()

    def origin(self, host: str, origin: str | None, site: str | None) -> None:
        """Refuse an action from another site. Under `Referrer-Policy: no-referrer` a browser's Origin is `null`
        (Fetch, section 3.2), so for browsers Sec-Fetch-Site counts, which no page can forge."""
        if site is not None:
            is_ours = site == "same-origin" and origin in (None, "null", f"http://{host}")
        else:
            is_ours = origin == f"http://{host}"
        if not is_ours:
            raise Refusal(HTTPStatus.FORBIDDEN, "this form comes from another site")

    def form_token(self, path: str) -> str:
        """The token in forms that are sent to this path."""
        return hmac.new(self._key, path.encode(), "sha256").hexdigest()

    def form(self, path: str, token: str) -> None:
        """Refuse a form that is not ours, or is for another action."""
        if not _same(token, self.form_token(path)):
            raise Refusal(HTTPStatus.FORBIDDEN, "the form is out of date; go back, reload and try again")


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode(), known.encode())
