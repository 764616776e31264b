"""What SES refuses, and how: exception, HTTP status and wording, rule by rule.

Each rule has its source and grade: [M] botocore's service model, [D] AWS documentation, [P] seen in production by
others, [U] not verified. A rule can be turned off by name. Messages are read with the standard library's parser, not
Postern's, so that one cannot hide the other's mistakes.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from functools import cached_property

_FIELD = re.compile(rb"([!-9;-~]*)[ \t]*:")  # also one without a name, for which SES has its own text


@dataclass(eq=False)
class Refusal(Exception):
    """SES's response to a request that it refuses."""

    code: str
    status: int
    message: str


def bad_request(message: str) -> Refusal:
    """The refusal of an invalid request [M]."""
    return Refusal("BadRequestException", 400, message)


@dataclass
class Account:
    """SES's state of the account.

    `state` is an exception's name (AccountSuspendedException, SendingPausedException) or ""; `throttled` refuses
    everything with 429; `off` names the rules that are turned off, `on` the optional ones that are turned on, so that
    unverified behaviour can be played either way.
    """

    identities: Collection[str]
    configuration_sets: Collection[str]
    state: str = ""
    throttled: bool = False
    off: Collection[str] = field(default_factory=tuple)
    on: Collection[str] = field(default_factory=tuple)


@dataclass(frozen=True)
class Request:
    """One SendEmail request with raw content."""

    sender: str
    destinations: tuple[str, ...]
    raw: bytes
    configuration_set: str

    @cached_property
    def header(self) -> Message:
        """The header, parsed, without the body."""
        return message_from_bytes(_readable(self.raw[: header_end(self.raw)]))

    @cached_property
    def message(self) -> Message:
        """The whole message, parsed."""
        end = header_end(self.raw)
        return message_from_bytes(_readable(self.raw[:end]) + self.raw[end:])

    def values(self, *names: str) -> Iterator[str]:
        """The unfolded values of these header fields."""
        for name in names:
            yield from ("".join(str(value).splitlines()) for value in self.header.get_all(name, []))


def _readable(header: bytes) -> bytes:
    """The header in a form that the parser reads to its end: without lines that are not fields (and their folds), and
    without a space before a colon."""
    kept: list[bytes] = []
    taking = True
    for line in header.splitlines(keepends=True):
        if line[:1] not in (b" ", b"\t"):
            found = _FIELD.match(line)
            taking = found is not None
            line = _FIELD.sub(rb"\1:", line)  # noqa: PLW2901 (the same line, readable)
        if taking:
            kept.append(line)
    return b"".join(kept)


def header_end(raw: bytes) -> int:
    """The offset where the header ends: before the first blank line, with any line ending."""
    found = re.search(rb"(?<=\n)\r*\n", raw)
    return found.start() if found else len(raw)


Check = Callable[[Request, Account], Refusal | None]


@dataclass(frozen=True)
class Rule:
    """One rule of SES. `check` returns the refusal, or None."""

    name: str
    grade: str
    source: str
    check: Check
    usual: bool = True
