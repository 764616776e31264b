"""The patterns of a domain's row: regular expressions over local parts, in RE2 syntax.

RE2 takes linear time whatever the pattern and whatever a stranger sends (github.com/google/re2, "Syntax"); it lacks
look-around and back-references within a pattern.
"""

import re
from collections.abc import Mapping
from typing import Any

from .records import dataclass
from .rows import texts

MAX_PATTERN = 1_000  # characters: text pasted by mistake should not become a regular expression

_GROUP = re.compile(r"\\([0-9])")
_NAMES = frozenset({"pattern", "destinations"})


@dataclass(frozen=True, slots=True)
class Pattern:
    r"""One pattern and its destinations; `\1` in the local part of a destination stands for the match of its first
    group."""

    text: str
    destinations: tuple[str, ...]
    compiled: Any

    @classmethod
    def from_item(cls, item: Any) -> "Pattern":
        """Read one {pattern, destinations}. Raises ValueError if it is not one, if RE2 rejects the pattern, or if it
        lets a stranger choose the domain."""
        if not isinstance(item, Mapping) or not _NAMES.issuperset(item) or not isinstance(item.get("pattern"), str):
            raise ValueError(f"expected a pattern with its destinations, found {item!r}")
        text, destinations = item["pattern"], tuple(texts(item.get("destinations", ())))
        expression = compiled(text)
        if not destinations:
            raise ValueError(f"pattern {text!r} has no destinations")
        for destination in destinations:
            if _GROUP.search(destination.rpartition("@")[2]):
                raise ValueError(
                    f"{destination!r} lets a stranger choose the domain: a group may stand only before the @"
                )
            for group in _GROUP.findall(destination):
                if int(group) > expression.groups:
                    raise ValueError(f"{destination!r} uses a group that pattern {text!r} does not have")
        return cls(text, destinations, expression)

    def expand(self, local: str) -> tuple[str, ...] | None:
        """The destinations for a local part with its tag, or None if the pattern does not match all of it.

        Raises ValueError if a group that is the whole local part of a destination is empty.
        """
        found = self.compiled.fullmatch(local)
        if found is None:
            return None
        expanded = tuple(_GROUP.sub(lambda group: found[int(group[1])] or "", one) for one in self.destinations)
        for template, destination in zip(self.destinations, expanded, strict=True):
            if destination.startswith("@") and not template.startswith("@"):
                raise ValueError(f"destination {destination!r} is not a mail address")
        return expanded

    def example(self) -> tuple[str, ...]:
        """The destinations with a letter for every group, to check their form."""
        return tuple(_GROUP.sub("x", one) for one in self.destinations)


def compiled(text: str) -> Any:
    """Compile a pattern in RE2 syntax, ignoring case. Raises ValueError."""
    import re2  # noqa: PLC0415 (only stacks with patterns need it)

    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    if len(text) > MAX_PATTERN:
        raise ValueError(f"a pattern of {len(text)} characters; at most {MAX_PATTERN} are allowed")
    try:
        return re2.compile(text, options)
    except re2.error as fault:
        raise re2_fault(text, fault) from fault


def re2_fault(text: str, fault: Exception) -> ValueError:
    """A ValueError with RE2's own words."""
    said = fault.args[0].decode("utf-8", "replace") if isinstance(fault.args[0], bytes) else fault
    return ValueError(f"pattern {text!r} is not an RE2 regular expression: {said}")
