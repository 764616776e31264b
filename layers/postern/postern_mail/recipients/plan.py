"""The steps from the present rules to the wanted ones, one SES call at a time.

Between any two calls, and wherever the work is interrupted and resumed:

- an address that was accepted and should be stays accepted: an entry that covers it is deleted only after
  one that names it exists, and no address moves from one rule to another;
- no rule is without recipients, because such a rule matches everything.

So a plan has four parts: domains to be accepted whole are opened; rules get missing recipients (and lose in the same
call those that are unwanted, or covered by a domain); new rules take the rest; and last, entries that cover more than
is wanted are removed.

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
    """One of our rules. `sound`: enabled, spelled as we do, and with our actions."""

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
    """How many recipients fit beside this many foreign rules, with one rule reserved for `opening`."""
    return max(0, MAX_RULES - others - 1) * MAX_RECIPIENTS


def opening(rules: Sequence[Rule], domains: Collection[str], prefix: str) -> list[Step]:
    """The one call after which every address of these domains is accepted; none if that is so already.

    It loses nothing: a rule with room for them gets them, or a new one is created.
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
    """What becomes of one rule: `kept` stays, `covering` is removed when all else is done."""

    rule: Rule
    kept: list[str]
    covering: list[str]
    added: bool = False

    @property
    def space(self) -> int:
        """How many more recipients fit; a rule that matches everything is not reused."""
        return MAX_RECIPIENTS - len(self.kept) - len(self.covering) if self.rule.recipients else 0

    @property
    def grows(self) -> bool:
        """Whether the first part writes it: it gets addresses, or must be made sound."""
        return self.added or bool(self.kept and not self.rule.sound)

    @property
    def middle(self) -> tuple[str, ...]:
        """The recipients it names between the first part and the last."""
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
    """Put missing recipients into rules with room; returns the rest."""
    for draft in drafts:
        space = draft.space
        draft.added = bool(missing[:space])
        draft.kept += missing[:space]
        missing = missing[space:]
    return missing


def _narrowing(drafts: Collection[_Draft]) -> list[Step]:
    """The last part: each rule loses what it still has to lose, and is deleted if nothing stays."""
    return [
        Step(UPDATE, draft.rule.name, tuple(draft.kept)) if draft.kept else Step(DELETE, draft.rule.name)
        for draft in drafts
        if not draft.kept or set(draft.middle) != set(draft.kept)
    ]


def _free_names(rules: Sequence[Rule], prefix: str) -> Iterator[str]:
    taken = {rule.name for rule in rules}
    return (name for number in count(1) if (name := f"{prefix}{number:03}") not in taken)
