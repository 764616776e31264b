"""header_checks(5) as header rules: patterns about Subject, From, To or List-Id that RE2 takes.

Postfix asks a table about each line of the header, and the first pattern that matches the line decides about that line.
A rule here is asked about the message, and after one that is not final the next is asked too. So where a pattern may
take what a later one of the same field would, a DUNNO with the same condition stands between them; as it ends the
search, that works for one field, whose rules come last. A field that is folded is one line here, and one that is
encoded is asked about decoded, too.
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
_STEP = 10  # between numbers, so that a rule can come between
_BY_HAND = "write what it is for as a header rule: postern rule add"
_CHANGES = "header lines are not taken out or replaced; a rule can HOLD, REJECT, TAG, PREPEND, BCC and REDIRECT"


@dataclass(frozen=True, slots=True)
class _Check:
    """A line understood, for one field."""

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
    """The header rules for tables of these types; says what became of each line."""
    checks = [check for kind, lines in tables for check in _understood(lines, kind, report)]
    found: dict[SenderKey, Row] = {}
    for check in _in_order(checks, report):
        if len(found) == MOST_RULES:
            report.say(
                check.line,
                impossible(f"there are at most {MOST_RULES} header rules", "join texts: contains takes many"),
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
        report.say(check.line, changed(f"{says}; also where the field is folded or encoded"))
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
            report.say(line, impossible("conditions of a table do not come along", _BY_HAND))
        elif depth:
            report.say(line, impossible("it is under a condition that does not come along", _BY_HAND))
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
    if "i" in flags:  # it turns the default off: case counts
        how, text = MATCHES, f"(?-i:{_as_pattern(how, text)})"
    return [_Check(line, about, how, text, action) for about in fields]


def _action(result: str) -> str | Part:
    """The action as a rule has it; raises Unproved."""
    word, _, text = result.partition(" ")
    word, text = word.upper(), text.strip(WHITE)
    if word not in _KNOWN:
        return impossible(f"{word}: {_CHANGES}", _BY_HAND)
    if _GROUP.search(text.replace("$$", "")):
        raise Unproved("its result has a part of the line in it")
    text = text.replace("$$", "$")
    word = _DUNNO if word == "OK" else word
    try:
        Action.parse(f"{word} {text}".strip())
    except ValueError as fault:
        raise Unproved(str(fault)) from fault
    return f"{word} {text}".strip()


def _condition(pattern: str) -> tuple[list[str], str, str]:
    """(the conditions that it is about, how, the text); raises Unproved."""
    found = _PREFIX.match(pattern)
    if found is None:
        raise Unproved("it does not begin with ^, the name of a field and a colon")
    names = (found[1] or found[2]).lower().split("|")
    unknown = [name for name in names if name not in _CONDITIONS]
    if unknown:
        raise Unproved(f"{unknown[0]} is none of {', '.join(_CONDITIONS)}")
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
        return conditions, EQUALS, literal  # of other fields an address alone would be equal, too
    text = f"{'^' if starts else ''}{''.join(parts)}{'$' if ends else ''}" or ".*"
    compiled(text)
    return conditions, MATCHES, text


def _behind_the_colon(rest: str) -> tuple[list[str], bool]:
    """What is asked of the value, and whether it must begin so; raises Unproved. A value has no white space around it
    here, and one blank before it as programs write it."""
    parts = pieces(rest)
    if not parts or parts == ["$"] or parts[:2] in _ANYTHING:
        return (parts, False) if parts != ["$"] else ([], False)
    gap = _GAP.match(rest)
    if gap is None:
        raise Unproved("what stands right behind the colon is not told from the blank there")
    return pieces(gap[1]), True


def _is_choice(parts: list[str]) -> bool:
    depth = 0
    for piece in parts:
        depth += (piece == "(") - (piece == ")")
        if depth == 0 and piece == "|":
            return True
    return depth != 0


def _literal(parts: list[str]) -> str | None:
    """The text that these pieces stand for, None if they stand for several."""
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
    """The checks field by field; the field whose lines may take what later ones of it would comes last, with a DUNNO
    behind each of them. There is one such field; of a second, what follows is lost, and said to be."""
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
            report.say(check.line, unneeded("DUNNO, and no line about the field follows"))
        if check.word == _DUNNO and follows:
            yield check
        elif check.word not in _FINAL and follows:
            yield replace(check, action=_DUNNO)


def _as_far_as_final(group: list[_Check], report: Report) -> Iterator[_Check]:
    """Of a field whose later lines cannot be kept from what an earlier one takes: those up to it."""
    first = next(at for at, one in enumerate(group) if one.word not in _FINAL)
    yield from _without_dunno(group[: first + 1], report)
    for check in group[first + 1 :]:
        says = f"{group[first].line.place} may take what it would, for which there is one field's place"
        report.say(check.line, impossible(says, _BY_HAND))


def _without_dunno(group: list[_Check], report: Report) -> Iterator[_Check]:
    for check in group:
        if check.word != _DUNNO:
            yield check
        else:
            report.say(check.line, unneeded("DUNNO, and what it excused from is not here"))
