"""From the rules as they are to the rules as they should be, one SES call at a time.

Between any two calls, and wherever the work is broken off and begun again:

- an address that was taken and should be taken is taken: what covers it goes only after what
  names it is there, and no address moves from one rule to another;
- no rule is without recipients, for such a rule matches everything.

So a plan has four parts: domains that are to be taken whole are opened; rules get what is missing
(and lose in the same call what is not wanted, or is covered by a domain); new rules take the rest;
and last goes what covers more than is wanted.

Limits: docs.aws.amazon.com/ses, "Service quotas", email receiving.
"""

from collections.abc import Collection, Iterator, Sequence
from itertools import count

from ..mail.records import dataclass

MAX_RECIPIENTS = 100  # of one rule
MAX_RULES = 200  # of one rule set

CREATE, UPDATE, DELETE = "create", "update", "delete"


@dataclass(frozen=True, slots=True)
class Rule:
    """One of our rules. `sound`: on, spelled as we do, and with the actions that ours have."""

    name: str
    recipients: tuple[str, ...]
    sound: bool = True
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """One call: create or update a rule so that it has these recipients, or delete it."""

    kind: str
    name: str
    recipients: tuple[str, ...] = ()


def room(others: int) -> int:
    """How many recipients fit beside so many rules that are not ours, one rule being kept for `opening`."""
    return max(0, MAX_RULES - others - 1) * MAX_RECIPIENTS


def opening(rules: Sequence[Rule], domains: Collection[str], prefix: str) -> list[Step]:
    """The one call after which every address of these domains is taken; none if that is so already.

    Nothing is lost by it: a rule with room for them gets them, or a new one is made.
    """
    covered = {recipient for rule in rules if rule.sound for recipient in rule.recipients}
    missing = tuple(sorted(set(domains) - covered))
    for rule in rules if missing else ():
        if rule.sound and rule.recipients and len(rule.recipients) + len(missing) <= MAX_RECIPIENTS:
            return [Step(UPDATE, rule.name, (*rule.recipients, *missing))]
    return [Step(CREATE, next(_free_names(rules, prefix)), missing)] if missing else []


def plan(rules: Sequence[Rule], wanted: Collection[str], prefix: str) -> list[Step]:
    """The calls that make our rules name exactly `wanted`, in an order that is safe at every moment."""
    opened = opening(rules, [one for one in wanted if "@" not in one], prefix)
    changed = {step.name: Rule(step.name, step.recipients) for step in opened}
    rules = [*(rule for rule in rules if rule.name not in changed), *changed.values()]
    drafts = _drafts(rules, frozenset(wanted))
    missing = _filled(drafts, sorted(set(wanted) - {one for draft in drafts for one in draft.kept}))
    names = _free_names(rules, prefix)
    chunks = [tuple(missing[start : start + MAX_RECIPIENTS]) for start in range(0, len(missing), MAX_RECIPIENTS)]
    return [
        *opened,
        *(Step(UPDATE, draft.rule.name, draft.middle) for draft in drafts if draft.grows),
        *(Step(CREATE, name, chunk) for name, chunk in zip(names, chunks, strict=False)),
        *_narrowing(drafts),
    ]


@dataclass(slots=True)
class _Draft:
    """What becomes of one rule: `kept` stays, `covering` goes when all else is done."""

    rule: Rule
    kept: list[str]
    covering: list[str]
    added: bool = False

    @property
    def space(self) -> int:
        """For how many more there is room; a rule that matches everything is not reused."""
        return MAX_RECIPIENTS - len(self.kept) - len(self.covering) if self.rule.recipients else 0

    @property
    def grows(self) -> bool:
        """Whether it is written in the first part: it gets addresses, or must be made sound."""
        return self.added or bool(self.kept and not self.rule.sound)

    @property
    def middle(self) -> tuple[str, ...]:
        """What it names between the first part and the last."""
        return (*self.kept, *self.covering) if self.grows else self.rule.recipients


def _drafts(rules: Sequence[Rule], wanted: frozenset[str]) -> list[_Draft]:
    """Each wanted recipient stays in the first rule that has it, which is also written first."""
    placed: set[str] = set()
    drafts = []
    for rule in sorted(rules, key=lambda one: one.name):
        kept = [one for one in dict.fromkeys(rule.recipients) if one in wanted and one not in placed]
        covering = [one for one in dict.fromkeys(rule.recipients) if "@" not in one and one not in kept]
        placed.update(kept)
        drafts.append(_Draft(rule, kept, covering if rule.enabled else []))
    return drafts


def _filled(drafts: Collection[_Draft], missing: list[str]) -> list[str]:
    """Put what is missing where there is room; returns the rest."""
    for draft in drafts:
        space = draft.space
        draft.added = bool(missing[:space])
        draft.kept += missing[:space]
        missing = missing[space:]
    return missing


def _narrowing(drafts: Collection[_Draft]) -> list[Step]:
    """The last part: each rule loses what is left to lose, and goes if nothing stays."""
    return [
        Step(UPDATE, draft.rule.name, tuple(draft.kept)) if draft.kept else Step(DELETE, draft.rule.name)
        for draft in drafts
        if not draft.kept or set(draft.middle) != set(draft.kept)
    ]


def _free_names(rules: Sequence[Rule], prefix: str) -> Iterator[str]:
    taken = {rule.name for rule in rules}
    return (name for number in count(1) if (name := f"{prefix}{number:03}") not in taken)
