"""Who may ask the page for something. A loopback address is no trust boundary: every site that the browser has open can
send requests there, by a name of its own that leads to 127.0.0.1 too (DNS rebinding).

One person has one session: a token in the address that was opened, good once, becomes a cookie; each form carries a
proof that it is of this session and for this address.
"""

import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

IDLE = 3600.0  # seconds without a request after which the page ends
FORM_TOKEN = "form_token"  # noqa: S105 (the name of a field)
_OURS = ("same-origin", "none")  # Sec-Fetch-Site of our own pages, and of what a person typed or opened


class Refusal(Exception):
    """This request gets nothing; `status` is HTTP's, the message says why."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(slots=True)
class Gate:
    """The session of one person. `clock` gives seconds that only grow."""

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
        """What the Host field may say (RFC 9110 section 7.2)."""
        return (f"127.0.0.1:{self.port}", f"[::1]:{self.port}", f"localhost:{self.port}")

    @property
    def cookie_name(self) -> str:
        """Cookies know no ports (RFC 6265 section 8.5): the name keeps two pages of one machine apart."""
        return f"postern-{self.port}"

    @property
    def cookie(self) -> str:
        """The Set-Cookie field. It ends with the browser's session."""
        return f"{self.cookie_name}={self._session}; HttpOnly; SameSite=Strict; Path=/"

    @property
    def idle(self) -> float:
        """Seconds since somebody of this session asked for something."""
        return self.clock() - self._asked_at

    def host(self, hosts: list[str]) -> None:
        """Refuse a request that was sent to any other name (RFC 9110 section 15.5.20)."""
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            raise Refusal(HTTPStatus.MISDIRECTED_REQUEST, "this is the page of one machine, asked for by another name")

    def start(self, token: str) -> None:
        """Take the token of the address that was opened, once."""
        if self.token is None or not _same(token, self.token):
            raise Refusal(HTTPStatus.FORBIDDEN, "this address was good once; start `postern page` again")
        self.token = None
        self._asked_at = self.clock()

    def site(self, site: str | None) -> None:
        """Refuse what the browser says another site has asked for; that of another port is one, too."""
        if site is not None and site not in _OURS:
            raise Refusal(HTTPStatus.FORBIDDEN, "another site has asked for this")

    def session(self, cookies: Mapping[str, str]) -> None:
        """Refuse whoever has not come by the address that was opened."""
        if not _same(cookies.get(self.cookie_name, ""), self._session):
            raise Refusal(HTTPStatus.FORBIDDEN, "open the address that `postern page` printed")
        self._asked_at = self.clock()

    def origin(self, host: str, origin: str | None, site: str | None) -> None:
        """Refuse an action that comes from elsewhere. Under `Referrer-Policy: no-referrer` a browser's Origin is
        `null` (Fetch, section 3.2), so that of browsers Sec-Fetch-Site counts, which no page can write."""
        if site is not None:
            is_ours = site == "same-origin" and origin in (None, "null", f"http://{host}")
        else:
            is_ours = origin == f"http://{host}"
        if not is_ours:
            raise Refusal(HTTPStatus.FORBIDDEN, "the form is of another site")

    def form_token(self, path: str) -> str:
        """What the form that is sent to this path carries."""
        return hmac.new(self._key, path.encode(), "sha256").hexdigest()

    def form(self, path: str, token: str) -> None:
        """Refuse a form that is none of ours, or of another action."""
        if not _same(token, self.form_token(path)):
            raise Refusal(HTTPStatus.FORBIDDEN, "the form is out of date; go back, reload and try again")


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode(), known.encode())
