"""One service at one endpoint: reused connections, time limits, retries with jitter, clock skew."""

import calendar
import hashlib
import http.client
import os
import select
import ssl
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import NamedTuple
from urllib.parse import urlsplit

from .encoded import Encoded
from .errors import CallFailed, NoAnswer, NotConnected, Refusal, refusal
from .exchange import read, write
from .signer import Credentials, Scope, signed

_FAILED = 300  # HTTP status; redirects are not followed
_TRANSIENT = frozenset({500, 502, 503, 504})
# botocore's standard mode (botocore/retries/standard.py): both lists, and its longest pause.
_AGAIN = frozenset({
    "BandwidthLimitExceeded", "EC2ThrottledException", "LimitExceededException", "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException",
    "RequestTimeout", "RequestTimeoutException", "SlowDown", "ThrottledException", "Throttling", "ThrottlingException",
    "TooManyRequestsException", "TransactionInProgressException",
    "TransactionConflictException",  # not in botocore's: another transaction held the item, for milliseconds
})  # fmt: skip
_LONGEST_PAUSE = 20.0  # seconds
_SKEWED = frozenset({
    "InvalidSignatureException", "RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
})  # fmt: skip
_SKEW = 240  # seconds; AWS tolerates five minutes


class Patience(NamedTuple):
    """How often a call is made, for how many seconds a connection or an octet is awaited, and after how many seconds
    without a call a connection is not reused."""

    attempts: int
    connecting: float
    reading: float
    idle: float = 60


class Answer(NamedTuple):
    """A response; the names in `header` are in lower case."""

    header: Mapping[str, str]
    content: bytes


class Request(NamedTuple):
    """A request: method and path, header, body with its SHA-256 in hex, and the host with its port."""

    target: tuple[str, str]
    header: Mapping[str, str]
    body: bytes | Encoded
    digest: str
    host: str


class Service:
    """Calls one service. Threads may share it."""

    def __init__(
        self,
        url: str,
        scope: Scope,
        whose: Callable[[], Credentials],
        patience: Patience,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.url = urlsplit(url)
        self._scope = scope
        self._whose = whose
        self._patience = patience
        self._now = now
        self._sleep = sleep
        self._idle: dict[str, list[tuple[float, http.client.HTTPConnection]]] = {}  # with the time of their last call
        self._skew = 0.0  # seconds by which AWS's clock is ahead of ours

    def ask(
        self, request: tuple[str, str], header: Mapping[str, str], body: bytes | Encoded = b"", host: str = ""
    ) -> Answer:
        """The response to a request, with its whole body. `request` is the method and the quoted path below the URL's
        own.

        Raises Refusal, NotConnected or NoAnswer when all attempts are used up.
        """
        return self.begin(request, header, body, host).result()

    def begin(
        self, request: tuple[str, str], header: Mapping[str, str], body: bytes | Encoded = b"", host: str = ""
    ) -> "PendingCall":
        """Start a request: it is written, and its response is read when `result` is called."""
        method, path = request
        target = method, self.url.path.rstrip("/") + path
        return PendingCall(self, Request(target, header, body, _digest(body), host or self.url.netloc))

    def write(self, request: "Request") -> http.client.HTTPConnection:
        """Write a request; returns its connection. Raises NotConnected, NoAnswer."""
        whole = signed(
            self._scope,
            request.target,
            {**request.header, "host": request.host},
            digest=request.digest,
            whose=self._whose(),
            now=self._now() + self._skew,
        )
        connection = self._connected(request.host)
        assert connection.sock is not None
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # it may have responded early, and that says why
                write(connection.sock, request.target, whole, request.body)
        except OSError as error:
            connection.close()
            raise _no_answer(request.host, error) from error
        return connection

    def read(self, connection: http.client.HTTPConnection, request: "Request") -> Answer:
        """The response to a written request. Raises Refusal, NoAnswer."""
        host = request.host
        try:
            status, said, content, can_stay = read(connection.sock, request.target[0])
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise _no_answer(host, error) from error
        if can_stay:
            self._idle.setdefault(host, []).append((time.monotonic(), connection))
        else:
            connection.close()
        if "x-amz-crc32" in said and said["x-amz-crc32"] != str(zlib.crc32(content)):
            raise NoAnswer(f"the answer of {host} was damaged on its way")
        if status >= _FAILED:
            raise refusal(status, said, content)
        return Answer(said, content)

    def is_worth_another(self, failure: CallFailed, attempt: int) -> bool:
        """Whether another attempt follows the one with this number, from 1; the pause before it is over then."""
        skewed = isinstance(failure, Refusal) and failure.response["Error"]["Code"] in _SKEWED and self._set(failure)
        if attempt >= self._patience.attempts or not (skewed or _may_pass(failure)):
            return False
        if not skewed:
            self._sleep(min(_jitter() * 2 ** (attempt - 1), _LONGEST_PAUSE))
        return True

    def _connected(self, host: str) -> http.client.HTTPConnection:
        idle = self._idle.setdefault(host, [])
        while True:
            try:
                since, connection = idle.pop()
            except IndexError:
                break
            young = time.monotonic() - since < self._patience.idle
            if young and connection.sock and not select.select([connection.sock], [], [], 0)[0]:
                return connection
            connection.close()  # the other side has closed it, or sent something unasked
        connection = self._new(host)
        try:
            connection.connect()
        except (OSError, ValueError) as error:  # ValueError: a name that is impossible in DNS
            connection.close()
            raise NotConnected(f"no connection to {host}: {error}") from error
        assert connection.sock is not None
        connection.sock.settimeout(self._patience.reading)
        return connection

    def _new(self, host: str) -> http.client.HTTPConnection:
        if self.url.scheme == "http":
            return http.client.HTTPConnection(host, timeout=self._patience.connecting)
        return http.client.HTTPSConnection(host, timeout=self._patience.connecting, context=_trust())

    def _set(self, failure: Refusal) -> bool:
        """Whether AWS's clock differs from what we assumed; it is followed from now on."""
        said = failure.response["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        try:
            theirs = calendar.timegm(time.strptime(said, "%a, %d %b %Y %H:%M:%S GMT"))
        except ValueError:
            return False
        ahead = theirs - self._now()
        changed = abs(ahead - self._skew) > _SKEW
        self._skew = ahead if changed else self._skew
        return changed


class PendingCall:
    """A request that was sent once, and whose response was not read yet."""

    def __init__(self, service: Service, request: Request) -> None:
        self._service = service
        self._request = request
        self._failure: CallFailed | None = None
        self._connection: http.client.HTTPConnection | None = None
        try:
            self._connection = service.write(request)
        except CallFailed as failure:
            self._failure = failure

    def result(self) -> Answer:
        """The response, after as many attempts as needed and allowed. Raises as `Service.ask`."""
        attempt = 1
        while True:
            try:
                return self._read()
            except CallFailed as failure:
                if not self._service.is_worth_another(failure, attempt):
                    raise
                attempt += 1

    def drop(self) -> None:
        """Give up the response; does nothing if it was read. An unread response closes its connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _read(self) -> Answer:
        """The response to the written request, or, once that was read, to the same request sent again."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        connection, self._connection = self._connection, None
        return self._service.read(connection or self._service.write(self._request), self._request)


@cache
def _trust() -> ssl.SSLContext:
    """One context for all, because loading the certificates takes longer than a call. Botocore's certificates if
    OpenSSL has none."""
    given = os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE")
    if not (given or os.environ.get("SSL_CERT_DIR") or ssl.get_default_verify_paths().cafile):
        from importlib.util import find_spec  # noqa: PLC0415 (Lambda has certificates of its own)

        found = find_spec("botocore")
        given = os.path.join(os.path.dirname(found.origin), "cacert.pem") if found and found.origin else None
    return ssl.create_default_context(cafile=given)


def _jitter() -> float:
    """From 0 to 1. The module random takes 2 ms to import."""
    return int.from_bytes(os.urandom(4), "big") / 2**32


def _digest(body: bytes | Encoded) -> str:
    found = hashlib.sha256()
    for piece in (body,) if isinstance(body, bytes) else body:
        found.update(piece)
    return found.hexdigest()


def _no_answer(host: str, error: Exception) -> NoAnswer:
    return NoAnswer(f"no answer from {host}: {error or type(error).__name__}")


def _may_pass(failure: CallFailed) -> bool:
    if not isinstance(failure, Refusal):
        return True
    status = failure.response["ResponseMetadata"]["HTTPStatusCode"]
    return status in _TRANSIENT or failure.response["Error"]["Code"] in _AGAIN
