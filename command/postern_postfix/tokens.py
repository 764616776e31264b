"""RFC 822 tokens and address lists, as Postfix's tok822(3) reads them.

aliases(5) and the right-hand sides of virtual(5) are read like this: `"quoted name"`, `(comments)`, `[literals]`,
`phrase <address>`, `group: a, b;`. Two words without an operator between them are two addresses, so `|exit 67` without
quotes is the command `exit` and the user `67`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_OPERATORS = '|%!()<>@,;:\\".[]'
_SPACE = " \t\r\n"  # IS_SPACE_TAB_CR_LF: other white space is part of a word
_QUOTED = re.compile(r'((?:[^"\\]|\\.)*)\\?("|\Z)', re.DOTALL)
_LITERAL = re.compile(r"((?:[^\]\\]|\\.)*)\\?(\]|\Z)", re.DOTALL)
_WORD = re.compile(rf"(?:[^{re.escape(_OPERATORS + _SPACE)}]|\\(?:.|\Z))+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Token:
    """One token in its internal form, without quotes. `kind` is word, literal, comment or operator."""

    kind: str
    text: str

    def __str__(self) -> str:
        return f"[{self.text}]" if self.kind == "literal" else self.text


def scan(text: str) -> list[Token]:
    """All tokens, from left to right. An unclosed quote, literal or comment ends with the text."""
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        if text[position] in _SPACE:
            position += 1
            continue
        token, position = _token(text, position)
        tokens.append(token)
    return tokens


def internal(tokens: Sequence[Token]) -> str:
    """Tokens as one internal text; adjacent words are separated by a space."""
    pieces: list[str] = []
    for position, token in enumerate(tokens):
        pieces.append(str(token))
        if position + 1 < len(tokens) and (_is(token, ",") or _apart(token, tokens[position + 1])):
            pieces.append(" ")
    return "".join(pieces)


def addresses(tokens: Sequence[Token]) -> list[str]:
    """The addresses of a list in internal form, from left to right; comments and phrases are left out."""
    return _FromTheRight([token for token in tokens if token.kind != "comment"]).read()


@dataclass(slots=True)
class _FromTheRight:
    """Parses from right to left, as tok822_parse does, to tell whether a word is a phrase or an address."""

    tokens: list[Token]
    found: list[str] = field(default_factory=list)
    collected: list[Token] = field(default_factory=list)
    word_may_come: bool = True
    in_group: bool = False

    def read(self) -> list[str]:
        """All addresses, from left to right."""
        while self.tokens:
            token = self.tokens.pop()
            if token.kind == "operator":
                self._operator(token)
            else:
                self._word(token)
        self._close()
        return self.found[::-1]

    def _word(self, token: Token) -> None:
        if not self.word_may_come:
            self._close()
        self.collected.append(token)
        self.word_may_come = False

    def _operator(self, token: Token) -> None:
        self.word_may_come = True
        if token.text in ",;":
            self._close()
            self.in_group |= token.text == ";"
        elif token.text == ":" and self.in_group:
            self._close()
            self._skip_to(",")
        elif token.text == ">":
            self._close()
            self._within_angles()
        else:
            self.collected.append(token)

    def _within_angles(self) -> None:
        while self.tokens and not _is(self.tokens[-1], "<"):
            self.collected.append(self.tokens.pop())
        self._close()
        self._skip_to(">;,:")

    def _skip_to(self, operators: str) -> None:
        while self.tokens and not _is(self.tokens[-1], operators):
            self.tokens.pop()

    def _close(self) -> None:
        if self.collected:
            self.found.append("".join(map(str, reversed(self.collected))))
        self.collected.clear()


def _is(token: Token, operators: str) -> bool:
    return token.kind == "operator" and token.text in operators


def _apart(token: Token, following: Token) -> bool:
    return _is(following, "<") or (token.kind != "operator" and following.kind != "operator")


def _token(text: str, position: int) -> tuple[Token, int]:
    first = text[position]
    if first == "(":
        end = _comment_end(text, position)
        return Token("comment", text[position:end]), end
    if first in '"[':
        found = (_QUOTED if first == '"' else _LITERAL).match(text, position + 1)
        assert found is not None  # both end at the end of the text
        return Token("word" if first == '"' else "literal", _unescaped(found[1])), found.end()
    word = _WORD.match(text, position)
    if word is not None:
        return Token("word", _unescaped(word[0])), word.end()
    return Token("operator", first), position + 1


def _unescaped(text: str) -> str:
    if text.isalnum():
        return text
    plain = re.sub(r"\\(.|\Z)", r"\1", text, flags=re.DOTALL) if "\\" in text else text
    return re.sub(f"[{_SPACE}]", " ", plain)


def _comment_end(text: str, position: int) -> int:
    """The position after a comment; comments nest."""
    depth = 0
    while position < len(text):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        position += 2 if text[position] == "\\" else 1
        if depth == 0:
            break
    return min(position, len(text))
