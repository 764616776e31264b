"""The words of an address field (RFC 5322 3.2, 4.1), of which From, Reply-To, To and Cc are made.

Reading never fails and takes linear time: no character is read twice for the same purpose, and no pattern backtracks.
"""

import re
from collections.abc import Iterator

from .records import dataclass

SPACE, QUOTED, COMMENT, ENCODED, LITERAL, ATOM, SPECIAL = (
    "space", "quoted", "comment", "encoded", "literal", "atom", "special",
)  # fmt: skip
WORDS = frozenset({QUOTED, ENCODED, ATOM})
CFWS = frozenset({SPACE, COMMENT})  # comments and folding white space, 3.2.2

_SPACE = re.compile(r"[\s\x00-\x1f]++")
_ATOM = re.compile(r'[^\s\x00-\x1f"(<>,;:@\[\]]++')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)"', re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_ENCODED = re.compile(r"=\?[^\s?]{1,40}\?[bBqQ]\?")
_LITERAL = re.compile(r"\[[^\[\]<>@\"(),\\]{0,255}\]")
_PARENTHESES = re.compile(r"\\.|[()]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Word:
    """One of the kinds above; `text` is the content of a quoted string or comment, else the text as written."""

    kind: str
    text: str

    def is_(self, special: str) -> bool:
        """Whether it is one of these special characters."""
        return self.kind == SPECIAL and self.text in special


def words(text: str) -> Iterator[Word]:
    """The words of an unfolded value, in order; an opening sign that is never closed opens nothing."""
    reader = _Reader(text)
    while reader.at < len(text):
        yield reader.next()


class _Reader:
    def __init__(self, text: str) -> None:
        self.at = 0
        self._text = text
        self._closes = _closing(text) if "(" in text else {}
        self._quotes = True  # until one is found unclosed
        self._encoded_end = 0  # position of the next `?=`
        self._behind_at = False

    def next(self) -> Word:
        word = self._word()
        if word.kind not in CFWS:
            self._behind_at = word.is_("@")
        return word

    def _word(self) -> Word:
        text, at = self._text, self.at
        character = text[at]
        if character == '"':
            return self._quoted()
        if character == "(" and at in self._closes:
            self.at = self._closes[at] + 1
            return Word(COMMENT, _QUOTED_PAIR.sub(r"\1", text[at + 1 : self.at - 1]))
        if character == "=" and (end := self._end_of_encoded()):
            self.at = end
            return Word(ENCODED, text[at:end])
        if character == "[" and self._behind_at and (found := _LITERAL.match(text, at)):
            self.at = found.end()
            return Word(LITERAL, "".join(found[0].split()))
        for kind, pattern in ((SPACE, _SPACE), (ATOM, _ATOM)):
            if found := pattern.match(text, at):
                self.at = found.end()
                return Word(kind, found[0] if kind == ATOM else " ")
        self.at += 1
        return Word(SPECIAL if character in "<>,;:@[]" else SPACE, character)

    def _quoted(self) -> Word:
        found = _QUOTED.match(self._text, self.at) if self._quotes else None
        if found is None:
            self._quotes = False
            self.at += 1
            return Word(SPACE, " ")
        self.at = found.end()
        return Word(QUOTED, _QUOTED_PAIR.sub(r"\1", found[1]))

    def _end_of_encoded(self) -> int:
        """Where the encoded-word that starts here ends, 0 if there is none; it may hold blanks, which RFC 2047 2
        forbids and some programs write."""
        start = _ENCODED.match(self._text, self.at)
        if start is None:
            return 0
        if 0 <= self._encoded_end < start.end():
            self._encoded_end = self._text.find("?=", start.end())
        end = self._encoded_end
        return end + 2 if end >= 0 and self._text.find("=?", start.end(), end) < 0 else 0


def _closing(text: str) -> dict[int, int]:
    """The position of each parenthesis's closing one; they nest."""
    closes: dict[int, int] = {}
    opened: list[int] = []
    for found in _PARENTHESES.finditer(text):
        if found[0] == "(":
            opened.append(found.start())
        elif found[0] == ")" and opened:
            closes[opened.pop()] = found.start()
    return closes
