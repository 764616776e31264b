"""The fields of a request, from the URL or a form."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

QUOTED = ".q"  # suffix of fields that the page filled in; their values are quoted, since HTML cannot hold NUL


@dataclass(frozen=True, slots=True)
class Asked:
    """Fields by name."""

    fields: Mapping[str, list[str]]

    @classmethod
    def sent(cls, form: Mapping[str, list[str]]) -> "Asked":
        """The fields of a form, with the hidden ones unquoted."""
        fields: dict[str, list[str]] = {}
        for name, values in form.items():
            plain = name.removesuffix(QUOTED)
            fields.setdefault(plain, []).extend(values if plain == name else map(unquote, values))
        return cls(fields)

    def text(self, name: str, default: str = "") -> str:
        """What was typed, without white space around it."""
        found = self.fields.get(name)
        return found[-1].strip() if found else default

    def exact(self, name: str) -> str:
        """The value that the page itself put there."""
        found = self.fields.get(name)
        return found[-1] if found else ""

    def all(self, name: str) -> "list[str]":
        """The values that the page itself put there and that are still ticked, each once."""
        return [one for one in dict.fromkeys(self.fields.get(name, ())) if one.strip()]

    def list(self, name: str) -> list[str]:
        """What was ticked, or typed one per line or separated by commas."""
        found = self.fields.get(name, [])
        return [one.strip() for text in found for one in text.replace(",", "\n").splitlines() if one.strip()]

    def has(self, name: str) -> bool:
        """Whether it was ticked or pressed."""
        return bool(self.text(name))
