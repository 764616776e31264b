"""header_checks(5) as header rules: patterns for Subject, From, To or List-Id that RE2 accepts.

Postfix looks up each header line in a table, and the first pattern that matches decides about that line. A header rule
applies to the whole message, and after a match that is not final the next rule applies too. So if a pattern may take
what a later one for the same field would match, a DUNNO with the same condition is put between them. As DUNNO ends the
search, that works for only one field, whose rules come last. Here a folded field is one line, and an encoded one is
also matched decoded.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from postern_mail.mail.actions import Action
from postern_mail.mail.header_rules import CONTAINS, EQUALS, FIELDS, MATCHES, HeaderRule
from postern_mail.mail.rows import MOST_RULES, BadRow, Row, SenderKey, rule_key
from postern_mail.mail.senders import EVERYWHERE

from .expressions import Unproved, compiled, delimited, pieces, translated
from .report import Part, Report, changed, impossible, unneeded, unreadable
from .source import WHITE, Line

_CONDITIONS = {name: condition for condition, name in FIELDS.items()}
_PREFIX = re.compile(r"\^(?:([A-Za-z-]+)|\((?:\?:)?([A-Za-z-]+(?:\|[A-Za-z-]+)*)\)):(.*)\Z", re.DOTALL)
_GAP = re.compile(r"(?:\\s|\[\[:space:\]\]|\[ (?:\\t|\t)\]| )[*+?]?(.*)\Z", re.DOTALL)
_ANYTHING = ([".", "*"], [".", "+"])
_SPECIAL = ".^$*+?()[]{}|"
_WORDS = re.compile(r"(if|endif)(?![A-Za-z0-9])", re.IGNORECASE)
_GROUP = re.compile(r"\$(?:[0-9]|\{|\()")
_FINAL = ("REJECT", "DISCARD")
_KNOWN = (*_FINAL, "HOLD", "WARN", "INFO", "DUNNO", "OK", "BCC", "REDIRECT", "PREPEND")
_DUNNO = "DUNNO"
_STEP = 10  # between rule numbers, so that others fit in between
_BY_HAND = "write a header rule that does the same: postern rule add"
_CHANGES = "header lines cannot be removed or replaced; a rule can HOLD, REJECT, TAG, PREPEND, BCC and REDIRECT"


@dataclass(frozen=True, slots=True)
class _Check:
    """A line of header_checks(5) for one field."""

    line: Line
    about: str
    how: str
    text: str
    action: str

    @property
    def word(self) -> str:
        return self.action.partition(" ")[0]

    def row(self, number: int) -> tuple[SenderKey, Row]:
        key = (rule_key(number), EVERYWHERE)
        row = {"sender": key[0], "scope": key[1], self.about: {self.how: self.text}, "action": self.action}
        return key, row


def rules(
    tables: Iterable[tuple[str, Iterable[Line]]], own_domains: frozenset[str], report: Report
) -> dict[SenderKey, Row]:
    """The header rules for (type, lines) of tables. Reports each line."""
    checks = [check for kind, lines in tables for check in _understood(lines, kind, report)]
    found: dict[SenderKey, Row] = {}
    for check in _in_order(checks, report):
        if len(found) == MOST_RULES:
            report.say(
                check.line,
                impossible(f"Postern allows {MOST_RULES} header rules", "combine texts: one `contains` takes many"),
            )
            continue
        key, row = check.row(_number(len(found), len(checks)))
        try:
            HeaderRule.from_row(key, row).check_target(own_domains)
        except BadRow as fault:
            report.say(check.line, impossible(f"left out: {fault}", _BY_HAND))
            continue
        found[key] = row
        says = f"header {key[0].replace(':', ' ')}: {check.action} if {check.about} {check.how} {check.text!r}"
        report.say(check.line, changed(f"{says}; it also matches a folded or encoded field"))
    return found


def _number(at: int, many: int) -> int:
    return (at + 1) * (_STEP if many <= MOST_RULES else 1)


def _understood(lines: Iterable[Line], kind: str, report: Report) -> Iterator[_Check]:
    depth = 0
    for line in lines:
        word = _WORDS.match(line.text)
        if line.unreadable:
            report.say(line, unreadable(line))
        elif word is not None:
            depth = max(0, depth + (1 if word[1].lower() == "if" else -1))
            report.say(line, impossible("if and endif in a table cannot be imported", _BY_HAND))
        elif depth:
            report.say(line, impossible("it is inside an if that cannot be imported", _BY_HAND))
        else:
            found = _read(line, kind)
            if isinstance(found, Part):
                report.say(line, found)
            else:
                yield from found


def _read(line: Line, kind: str) -> list[_Check] | Part:
    try:
        negated, pattern, flags, rest = delimited(line.text)
        if rest[:1] not in tuple(WHITE) or not rest.strip(WHITE):
            raise Unproved("its result or its flags are not understood")
        if negated:
            raise Unproved("it is negated")
        action = _action(rest.strip(WHITE))
        if isinstance(action, Part):
            return action
        fields, how, text = _condition(translated(pattern, flags, kind))
    except Unproved as fault:
        return impossible(str(fault), _BY_HAND)
    if "i" in flags:  # this flag turns case-insensitivity off
        how, text = MATCHES, f"(?-i:{_as_pattern(how, text)})"
    return [_Check(line, about, how, text, action) for about in fields]


def _action(result: str) -> str | Part:
    """The action for a rule, or the verdict on one that no rule can do. Raises Unproved."""
    word, _, text = result.partition(" ")
    word, text = word.upper(), text.strip(WHITE)
    if word not in _KNOWN:
        return impossible(f"{word}: {_CHANGES}", _BY_HAND)
    if _GROUP.search(text.replace("$$", "")):
        raise Unproved("its result uses a part of the line")
    text = text.replace("$$", "$")
    word = _DUNNO if word == "OK" else word
    try:
        Action.parse(f"{word} {text}".strip())
    except ValueError as fault:
        raise Unproved(str(fault)) from fault
    return f"{word} {text}".strip()


def _condition(pattern: str) -> tuple[list[str], str, str]:
    """(the conditions, the operator, the text) for a pattern. Raises Unproved."""
    found = _PREFIX.match(pattern)
    if found is None:
        raise Unproved("it does not start with ^, a field name and a colon")
    names = (found[1] or found[2]).lower().split("|")
    unknown = [name for name in names if name not in _CONDITIONS]
    if unknown:
        raise Unproved(f"there are no rules for {unknown[0]}, only for {', '.join(_CONDITIONS)}")
    parts, starts = _behind_the_colon(found[3])
    ends = parts[-1:] == ["$"]
    parts = parts[: len(parts) - ends]
    while parts[:2] in _ANYTHING:
        parts, starts = parts[2:], False
    while parts[-2:] == [".", "*"] and parts[-3:-2] != ["\\"]:
        parts, ends = parts[:-2], False
    if "^" in parts or "$" in parts or _is_choice(parts):
        raise Unproved("it is a choice between whole lines, or anchored within")
    conditions = [_CONDITIONS[name] for name in names]
    literal = _literal(parts)
    if literal is not None and literal and not starts and not ends:
        return conditions, CONTAINS, literal
    if literal is not None and literal and starts and ends and conditions == ["subject"]:
        return conditions, EQUALS, literal  # in other fields, an address alone would be equal too
    text = f"{'^' if starts else ''}{''.join(parts)}{'$' if ends else ''}" or ".*"
    compiled(text)
    return conditions, MATCHES, text


def _behind_the_colon(rest: str) -> tuple[list[str], bool]:
    """The pattern for the value, and whether the value must start with it. Here a value has no white space around it;
    in a header line, programs write one space before it. Raises Unproved."""
    parts = pieces(rest)
    if not parts or parts == ["$"] or parts[:2] in _ANYTHING:
        return (parts, False) if parts != ["$"] else ([], False)
    gap = _GAP.match(rest)
    if gap is None:
        raise Unproved("it does not allow for the space after the colon")
    return pieces(gap[1]), True


def _is_choice(parts: list[str]) -> bool:
    depth = 0
    for piece in parts:
        depth += (piece == "(") - (piece == ")")
        if depth == 0 and piece == "|":
            return True
    return depth != 0


def _literal(parts: list[str]) -> str | None:
    """The text that these pieces match, None if they match several."""
    text = ""
    for piece in parts:
        if piece.startswith("\\"):
            if piece[1:].isalnum():
                return None
            text += piece[1:]
        elif len(piece) > 1 or piece in _SPECIAL:
            return None
        else:
            text += piece
    return text


def _as_pattern(how: str, text: str) -> str:
    if how == MATCHES:
        return text
    quoted = re.sub(r"([^A-Za-z0-9 ])", r"\\\1", text)
    return f"^{quoted}$" if how == EQUALS else quoted


def _in_order(checks: list[_Check], report: Report) -> Iterator[_Check]:
    """The checks field by field. The field in which a line may take what a later one would match comes last, with a
    DUNNO after each such line. There can be only one such field; in others the later lines are lost, and reported."""
    groups: dict[str, list[_Check]] = {}
    for check in checks:
        groups.setdefault(check.about, []).append(check)
    taking = [about for about, group in groups.items() if any(one.word not in _FINAL for one in group[:-1])]
    last = taking[-1] if taking else ""
    for about, group in groups.items():
        if about in taking and about != last:
            yield from _as_far_as_final(group, report)
        elif about != last:
            yield from _without_dunno(group, report)
    for at, check in enumerate(groups.get(last, ())):
        follows = at + 1 < len(groups[last])
        if check.word != _DUNNO:
            yield check
        elif not follows:
            report.say(check.line, unneeded("DUNNO, and no line for this field follows"))
        if check.word == _DUNNO and follows:
            yield check
        elif check.word not in _FINAL and follows:
            yield replace(check, action=_DUNNO)


def _as_far_as_final(group: list[_Check], report: Report) -> Iterator[_Check]:
    """The checks of a field up to the first that is not final; the later ones are reported as lost."""
    first = next(at for at, one in enumerate(group) if one.word not in _FINAL)
    yield from _without_dunno(group[: first + 1], report)
    for check in group[first + 1 :]:
        says = f"{group[first].line.place} may match the same mail first, which can be imported for one field only"
        report.say(check.line, impossible(says, _BY_HAND))


def _without_dunno(group: list[_Check], report: Report) -> Iterator[_Check]:
    for check in group:
        if check.word != _DUNNO:
            yield check
        else:
            report.say(check.line, unneeded("DUNNO, and there is no rule that it would prevent"))
