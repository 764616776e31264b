"""Threads as mail programs make them: the algorithm of Jamie Zawinski (jwz.org/doc/threading.html), without its last
step, which joins threads by their subjects. It knows nothing of Postern.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from email import message_from_bytes

_ID = re.compile(r"<[^<>\s]+>")


@dataclass(eq=False)
class Container:
    """A place in a thread; `is_there` says whether the mailbox has the message."""

    message_id: str
    is_there: bool = False
    parent: "Container | None" = None
    children: list["Container"] = field(default_factory=list)

    def has(self, other: "Container") -> bool:
        """Whether the other is this one or below it."""
        return other is self or any(child.has(other) for child in self.children)

    def members(self) -> list[str]:
        """The messages from here on that the mailbox has."""
        own = [self.message_id] if self.is_there else []
        return own + [one for child in self.children for one in child.members()]


def threads(mailbox: Iterable[bytes]) -> list[list[str]]:
    """The Message-IDs of each thread of a mailbox."""
    table: dict[str, Container] = {}
    for raw in mailbox:
        message = message_from_bytes(raw)
        this = table.setdefault(_ids(message["Message-ID"])[0], Container(_ids(message["Message-ID"])[0]))
        this.is_there = True
        references = _ids(message["References"]) or _ids(message["In-Reply-To"])[:1]
        before: Container | None = None
        for one in references:
            found = table.setdefault(one, Container(one))
            if before is not None and found.parent is None and not found.has(before):
                _join(before, found)
            before = found
        if this.parent is not None:
            this.parent.children.remove(this)
            this.parent = None
        if before is not None and not this.has(before):
            _join(before, this)
    roots = [one for one in table.values() if one.parent is None]
    return [members for one in roots if (members := one.members())]


def _join(parent: Container, child: Container) -> None:
    child.parent = parent
    parent.children.append(child)


def _ids(value: str | None) -> list[str]:
    return _ID.findall(value or "")
