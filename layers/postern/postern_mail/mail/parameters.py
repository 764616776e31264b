"""MIME parameters as sloppy programs write them: parsed, and rewritten so that SES accepts them (RFC 2045 5.1, RFC
2231).

SES requires `name=value` between semicolons. Programs omit quotes around a file name with blanks, never close a quote,
forget a value, or write 8-bit octets. The meaning of a parameter is kept, or SpoiltField is raised.
"""

import re
from collections.abc import Iterator

from .records import dataclass

_NAME = re.compile(r"[\s;]*([A-Za-z0-9!#$%&'*+^_`{|}~.-]+)\s*=\s*", re.ASCII)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_END = re.compile(r"\s*(?:;|\Z|\([^()]*\)\s*(?:;|\Z))", re.ASCII)
_CLOSING = re.compile(r'"\s*\Z', re.ASCII)
_COMMENT = re.compile(r"\s*\([^()]*\)\s*\Z", re.ASCII)
_SKIPPED = re.compile(r"[\s;]*(?:\([^()]*\)[\s;]*)*", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9!#$&^_.+-]+\Z")
_BLANKS = " \t"  # \x85 and \xa0 are octets of characters here
_FILE_NAMES = ("name", "filename")
_MAX_WORD = 900  # octets of one parameter, which is never folded


class SpoiltField(Exception):
    """The field cannot be rewritten so that all programs read the same."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; `value` is its meaning, one octet per character. `quoted` is its spelling, if it was a quoted
    string; `is_open` says that its quote is never closed."""

    name: str
    value: str
    quoted: str = ""
    is_open: bool = False

    def written(self) -> str:
        """The parameter in a form that SES accepts. Raises SpoiltField."""
        value = _spaced(self.value)
        if value.isascii() and value.isprintable():
            said = value if _TOKEN.match(value) else f'"{_escaped(value)}"'
            word = f"{self.name}={_spaced(self.quoted) or said}"
        elif self.name.lower() in ("boundary", "charset") or "*" in self.name:
            raise SpoiltField(f"{self.name} is not ASCII")
        else:
            word = f"{self.name}*=utf-8''{_percent(_unicode(value))}"
        if len(word) > _MAX_WORD:
            raise SpoiltField(f"{self.name} is longer than a line")
        return word


def parameters(text: str) -> Iterator[Parameter]:
    """The parameters after a type, in order; names without a value are skipped."""
    at = 0
    while at < len(text):
        skipped = _SKIPPED.match(text, at)
        at = skipped.end() if skipped else at
        found = _NAME.match(text, at)
        if found is None:
            at = _semicolon(text, at) + 1
            continue
        one, at = _parameter(text, found.end(), found[1])
        if one.value:
            yield one


def _parameter(text: str, at: int, name: str) -> tuple[Parameter, int]:
    """(the parameter whose value begins here, where it ends)."""
    end = _semicolon(text, at)
    if not text.startswith('"', at):
        bare = text[at:end].rstrip(_BLANKS)
        return Parameter(name, bare if name.lower() in _FILE_NAMES else _COMMENT.sub("", bare)), end
    quoted = _QUOTED.match(text, at)
    if quoted and _END.match(text, quoted.end()):
        return Parameter(name, _unescaped(quoted[1]), quoted[0]), quoted.end()
    last = _CLOSING.search(text[at + 1 : end])  # quotes within quotes, as in "a "b" c.pdf"
    if last:
        return Parameter(name, text[at + 1 : at + 1 + last.start()]), end
    if quoted:
        return Parameter(name, _unescaped(quoted[1])), _semicolon(text, quoted.end())
    return Parameter(name, text[at + 1 :].rstrip(_BLANKS), is_open=True), len(text)


def _semicolon(text: str, at: int) -> int:
    found = text.find(";", at)
    return len(text) if found < 0 else found


def _spaced(text: str) -> str:
    return text.replace("\t", " ")


def _unescaped(content: str) -> str:
    """Only quotes and backslashes are unescaped: C:\\dir\\file is a name that programs write."""
    return re.sub(r'\\(["\\])', r"\1", content)


def _escaped(content: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", content)


def _percent(text: str) -> str:
    """RFC 2231 4: everything except letters, digits, dots, hyphens and underscores as %XX."""
    octets = text.encode("utf-8")
    return "".join(
        chr(one) if chr(one).isascii() and (chr(one).isalnum() or chr(one) in "._-") else f"%{one:02X}"
        for one in octets
    )


def _unicode(octets: str) -> str:
    raw = octets.encode("latin-1")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")
