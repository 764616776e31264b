"""A small DNS zone, against which SPF, DKIM and DMARC are checked instead of the internet's."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

Answers = list[tuple[tuple[str, str], Any]]


@dataclass
class Zone:
    """Records by (name, type), names in lower case without the final dot."""

    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> "Zone":
        """Read a TOML file: `["example.com"]` with `TXT = [...]`, `A = [...]`, `MX = [...]`."""
        zone = cls()
        for name, types in tomllib.loads(path.read_text(encoding="utf-8")).items():
            for kind, values in types.items():
                zone.add(name, kind, *values)
        return zone

    def add(self, name: str, kind: str, *values: str) -> None:
        """Publish records."""
        self.records.setdefault((name.lower(), kind), []).extend(values)

    def find(self, name: str, kind: str) -> Sequence[str]:
        """The records of a name; empty if there are none."""
        return self.records.get((name.lower().rstrip("."), kind), ())

    def reverse_name(self, address: str) -> str:
        """The name of an address (PTR), `unknown` without one; how SES writes that is not verified."""
        found = self.find(ip_address(address).reverse_pointer, "PTR")
        return found[0] if found else "unknown"

    def dkim_txt(self, name: bytes, timeout: float = 0) -> bytes | None:
        """The TXT record for a name, in dkimpy's form."""
        del timeout
        found = self.find(name.decode("ascii"), "TXT")
        return found[0].encode("ascii") if found else None

    def spf_lookup(self, name: str, kind: str, *_: object, **__: object) -> Answers:
        """((name, type), data) for each record of a name, in pyspf's form."""
        return [((name, kind), _spf_data(kind, value)) for value in self.find(name, kind)]


def _spf_data(kind: str, value: str) -> object:
    if kind == "TXT":
        return (value.encode("ascii"),)
    if kind == "MX":
        preference, _, host = value.partition(" ")
        return (int(preference), host)
    return value


def tags(record: str) -> Mapping[str, str]:
    """The tags of a DMARC record (RFC 7489 6.4), names and values in lower case."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip().lower() for name, _, value in pairs if name.strip()}
