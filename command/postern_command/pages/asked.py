"""What the browser asked: fields of the address or of a form."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

QUOTED = ".q"  # ends the name of a field that the page itself filled in, whose value is quoted: HTML has no NUL, say


@dataclass(frozen=True, slots=True)
class Asked:
    """Fields by name."""

    fields: Mapping[str, list[str]]

    @classmethod
    def sent(cls, form: Mapping[str, list[str]]) -> "Asked":
        """A form, with what was hidden in it as it was."""
        fields: dict[str, list[str]] = {}
        for name, values in form.items():
            plain = name.removesuffix(QUOTED)
            fields.setdefault(plain, []).extend(values if plain == name else map(unquote, values))
        return cls(fields)

    def text(self, name: str, default: str = "") -> str:
        """What was typed, without blanks around it."""
        found = self.fields.get(name)
        return found[-1].strip() if found else default

    def exact(self, name: str) -> str:
        """What the page itself had put there."""
        found = self.fields.get(name)
        return found[-1] if found else ""

    def all(self, name: str) -> "list[str]":
        """What the page itself had put there, each that was left ticked once."""
        return [one for one in dict.fromkeys(self.fields.get(name, ())) if one.strip()]

    def list(self, name: str) -> list[str]:
        """What was ticked, or typed one a line or with commas between."""
        found = self.fields.get(name, [])
        return [one.strip() for text in found for one in text.replace(",", "\n").splitlines() if one.strip()]

    def has(self, name: str) -> bool:
        """Whether it was ticked or pressed."""
        return bool(self.text(name))
