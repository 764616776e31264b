"""What the hourly watch tells: which findings are new since it last told, and which are over.

Each thing is told once when it is found, and once more when it is over. If AWS does not answer, earlier findings are
neither new nor over; the silence itself is told at the second run in a row, as most pass.
"""

from collections.abc import Iterator, Mapping, Sequence

from .examination import Examined, Finding, Grade
from .mail.records import dataclass, field, replace

MOST = 50  # findings told and remembered for one examination
SILENT = "Unknown for now: Amazon did not answer twice in a row, or the permission to ask is missing."
_SILENCE = "no answer"  # `about` of a silence
_MAX_TEXT = 200  # characters of `seen` that are remembered


@dataclass(frozen=True, slots=True)
class Known:
    """An earlier finding: what was seen, since when (epoch seconds), and whether it was told."""

    seen: str
    since: float
    told: bool = True


@dataclass(frozen=True, slots=True)
class New:
    """A finding to tell."""

    finding: Finding
    since: float


@dataclass(frozen=True, slots=True)
class Section:
    """The new findings of one examination."""

    name: str
    means: str
    new: tuple[New, ...]
    more: bool = False  # there are more than are named


@dataclass(frozen=True, slots=True)
class Telling:
    """What to tell, and what is known once it is told; `still` counts findings told before that persist."""

    sections: tuple[Section, ...] = ()
    over: tuple[tuple[str, Known], ...] = ()  # by the examination's name
    known: Mapping[str, Mapping[str, Known]] = field(default_factory=dict)  # by examination, by what they are about
    still: int = 0

    def __bool__(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.sections or self.over)


def compare(before: Mapping[str, Mapping[str, Known]], examined: Sequence[Examined], now: float) -> Telling:
    """What is new and what is over, compared with what was known before. Examinations that no longer exist are
    forgotten."""
    sections: list[Section] = []
    over: list[tuple[str, Known]] = []
    known: dict[str, Mapping[str, Known]] = {}
    for one in examined:
        was = before.get(one.name, {})
        found = dict(_found(one))
        held = {about: _held(was.get(about), each, now) for about, each in found.items()}
        new = tuple(
            New(found[about], each.since)
            for about, each in held.items()
            if each.told and not (about in was and was[about].told)
        )
        if new:
            sections.append(Section(one.name, SILENT if _is_unknown(one) else one.means, new, _is_cut(one)))
        gone = {about: each for about, each in was.items() if about not in found}
        if _is_unknown(one) or _is_cut(one):
            held |= {about: each for about, each in gone.items() if about != _SILENCE or _is_unknown(one)}
        else:
            over += [(one.name, each) for each in gone.values() if each.told]
        if held:
            known[one.name] = held
    still = sum(each.told for one in known.values() for each in one.values()) - sum(len(one.new) for one in sections)
    return Telling(tuple(sections), tuple(over), known, still)


def _found(one: Examined) -> Iterator[tuple[str, Finding]]:
    """The findings to tell, each with what it is about."""
    named = one.findings[:-1] if one.cut else one.findings
    for each in named[:MOST]:
        if each.grade is Grade.NO_ANSWER:
            yield _SILENCE, each
        elif each.grade in (Grade.WARNING, Grade.FAILED):
            yield each.about or each.seen, each


def _held(was: Known | None, found: Finding, now: float) -> Known:
    """A finding as it is remembered from now on; a silence is told if it was there before."""
    if was is not None:
        return replace(was, told=True)
    since = now if found.since is None else found.since
    return Known(found.seen[:_MAX_TEXT], since, told=found.grade is not Grade.NO_ANSWER)


def _is_unknown(one: Examined) -> bool:
    return any(each.grade is Grade.NO_ANSWER for each in one.findings)


def _is_cut(one: Examined) -> bool:
    return one.cut or len(one.findings) > MOST
