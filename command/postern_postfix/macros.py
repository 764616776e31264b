"""`$name` in main.cf, expanded as by Postfix's mac_expand(3).

Source: postconf(5), "The general format of the main.cf file": `$name`, `${name}`, `$(name)`,
`${name?text}`, `${name:text}`, `${name?{text}:{text}}`, `${{text} == {text} ? {text} : {text}}`, `$$`.
"""

import operator
import re
from collections.abc import Callable

Lookup = Callable[[str], str | None]
_MAX_DEPTH = 100  # mac_expand's own limit: more is a loop
_MAX_LENGTH = 1 << 16  # characters: far above any real value, below what doubling macros would make
_CLOSING = {"{": "}", "(": ")"}
_NAME = re.compile(r"[A-Za-z0-9_]+")
_OPERATOR = re.compile(r"[<>!=]+(?:level)?")
_COMPARED: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class BadMacro(ValueError):
    """Postfix would refuse the value; the text says why."""


def expand(text: str, lookup: Lookup, depth: int = 0) -> str:
    """The text with every macro replaced; one without a value is empty. Raises BadMacro."""
    if depth > _MAX_DEPTH:
        raise BadMacro("its macros form a loop")
    pieces: list[str] = []
    position = 0
    while (dollar := text.find("$", position)) >= 0:
        pieces.append(text[position:dollar])
        macro, position = _macro(text, dollar + 1)
        pieces.append(macro if macro == "$" else _value(macro, lookup, depth + 1))
        if sum(map(len, pieces)) > _MAX_LENGTH:
            raise BadMacro("its macros make an endless value")
    return "".join(pieces) + text[position:]


def _macro(text: str, start: int) -> tuple[str, int]:
    """The content of the brackets, or the bare name ("$" for `$$`), and where the text continues."""
    if text[start : start + 1] == "$":
        return "$", start + 1
    if text[start : start + 1] in _CLOSING:
        return _bracketed(text, start)
    name = _NAME.match(text, start)
    if name is None:
        raise BadMacro("a $ without a name")
    return name[0], name.end()


def _bracketed(text: str, start: int) -> tuple[str, int]:
    opening, closing = text[start], _CLOSING[text[start]]
    depth = 0
    for position in range(start, len(text)):
        depth += (text[position] == opening) - (text[position] == closing)
        if depth == 0:
            return text[start + 1 : position], position + 1
    raise BadMacro(f"a {opening} that is not closed")


def _value(macro: str, lookup: Lookup, depth: int) -> str:
    if depth > _MAX_DEPTH:
        raise BadMacro("its macros form a loop")
    if macro.lstrip(" \t\r\n").startswith("{"):
        truth, rest = _comparison(macro.lstrip(" \t\r\n"), lookup, depth)
        value: str | None = "true" if truth else ""
    else:
        name = _NAME.match(macro)
        if name is None:
            raise BadMacro(f"{macro!r} is not a name")
        value, rest = lookup(name[0]), macro[name.end() :]
    if not rest:
        return expand(value or "", lookup, depth)
    return expand(_chosen(bool(value), rest), lookup, depth)


def _comparison(text: str, lookup: Lookup, depth: int) -> tuple[bool, str]:
    """Whether `{left} operator {right}` is true, and the text after it."""
    left, after = _operand(text)
    found = _OPERATOR.match(after)
    word = found[0] if found else ""
    compared = _COMPARED.get(word.removesuffix("level"))
    if compared is None:
        raise BadMacro(f"{word!r} is not a comparison")
    right, rest = _operand(after[len(word) :])
    left, right = expand(left, lookup, depth), expand(right, lookup, depth)
    return compared(_order(left, right, word.endswith("level")), 0), rest


def _order(left: str, right: str, levels: bool) -> int:
    """-1, 0 or 1: numbers are compared by value, compatibility levels by their parts, all else as text."""
    if levels and _is_level(left) and _is_level(right):
        one, other = _level(left), _level(right)
        return (one > other) - (one < other)
    if left.isascii() and left.isdigit() and right.isascii() and right.isdigit():
        padded = max(len(left), len(right))
        left, right = left.zfill(padded), right.zfill(padded)
    return (left > right) - (left < right)


def _is_level(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,6}(?:\.[0-9]{1,6}){0,2}", text) is not None


def _level(text: str) -> tuple[int, ...]:
    parts = [int(part) for part in text.split(".")]
    return tuple((*parts, 0, 0)[:3])


def _chosen(truth: bool, rest: str) -> str:
    """The operand of `?yes`, `:no` or `?{yes}:{no}` that applies."""
    if rest[0] == "?":
        yes, after = _result(rest[1:])
        if after and truth:
            _chosen(False, after)  # Postfix reads both operands
        if truth or not after:
            return yes if truth else ""
        rest = after
    if rest[0] != ":":
        raise BadMacro(f"{rest!r} is neither ? nor :")
    no, after = _result(rest[1:])
    if after:
        raise BadMacro(f"unexpected {after!r}")
    return "" if truth else no


def _result(text: str) -> tuple[str, str]:
    """One operand, and the text after it if it is in braces."""
    return _operand(text) if text.lstrip(" \t\r\n").startswith("{") else (text, "")


def _operand(text: str) -> tuple[str, str]:
    bare = text.lstrip(" \t\r\n")
    if not bare.startswith("{"):
        raise BadMacro(f"{text!r}: an operand must be in braces")
    content, end = _bracketed(bare, 0)
    return content, bare[end:].lstrip(" \t\r\n")
