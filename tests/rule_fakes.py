"""In-memory stand-ins for the ports of what keeps receipt rules and rule sets, held to the truth by tests/contract."""

from collections.abc import Callable
from dataclasses import dataclass, field

from postern_mail.errors import ClaimLost, Unavailable
from postern_mail.mail.rows import Row
from postern_mail.recipients.plan import DELETE, UPDATE, Rule, Step
from postern_mail.recipients.ports import Progress, RulesInSet, Turn
from postern_mail.ruleset import Active

from tests.fakes import FakeClock

TURN_SECONDS = 120


@dataclass
class FakeRuleSets:
    """SES's rule sets; `failures` by the number of the call, met before SES did it or `after`."""

    rules: dict[str, list[str]] = field(default_factory=dict)
    current: str | None = None
    failures: dict[int, Exception] = field(default_factory=dict)
    after: bool = False
    calls: int = 0
    activations: list[str | None] = field(default_factory=list)

    def active(self) -> Active | None:
        self._meet(self.calls + 1)
        return Active(self.current, tuple(self.rules[self.current])) if self.current else None

    def activate(self, name: str | None) -> bool:
        if self.after and self.calls + 1 in self.failures:
            self.current = name if name in (None, *self.rules) else self.current
        self._meet(self.calls + 1)
        if name is not None and name not in self.rules:
            return False
        self.current = name
        self.activations.append(name)
        return True

    def _meet(self, number: int) -> None:
        self.calls = number
        if number in self.failures:
            raise self.failures[number]


@dataclass
class FakeStacks:
    """CloudFormation; `back` says whether the stack rolls back."""

    back: bool = False

    def rolling_back(self, stack: str) -> bool:
        return self.back


@dataclass
class FakeLease:
    """The lease in memory; its time is the clock's."""

    clock: FakeClock = field(default_factory=FakeClock)
    owner: str = ""
    until: float = 0.0
    asked: int = 0
    behind_since: float | None = None
    owners: int = 0
    retired: set[str] = field(default_factory=set)

    def take(self) -> Turn | None:
        if self.owner and self.until >= self.clock.now():
            self.asked += 1
            return None
        self.owners += 1
        self.owner, self.until = str(self.owners), self.clock.now() + TURN_SECONDS
        return Turn(self.owner, self.asked, self.behind_since, frozenset(self.retired))

    def renew(self, turn: Turn) -> None:
        self._hold(turn)
        self.until = self.clock.now() + TURN_SECONDS

    def retire(self, turn: Turn, rule_set: str, *, for_good: bool) -> None:
        self._hold(turn)
        self.retired = self.retired | {rule_set} if for_good else self.retired - {rule_set}

    def give_back(self, turn: Turn, behind_since: float | None) -> Turn | None:
        self._hold(turn)
        if behind_since is None and self.asked != turn.asked:
            return Turn(self.owner, self.asked, retired=frozenset(self.retired))
        self.owner, self.behind_since = "", behind_since
        return None

    def _hold(self, turn: Turn) -> None:
        if self.owner != turn.owner:
            raise ClaimLost(f"the turn went to {self.owner}")


@dataclass
class FakeRules:
    """Rules of ours as `bodies`; `script` holds what the next calls meet, `before` runs before each."""

    prefix: str = "x-recipients-"
    bodies: dict[str, Rule] = field(default_factory=dict)
    others: int = 0
    script: list[Exception | None] = field(default_factory=list)
    before: Callable[[], None] = field(default=lambda: None)
    steps: list[Step] = field(default_factory=list)

    def read(self) -> RulesInSet:
        return RulesInSet(tuple(self.bodies.values()), self.others)

    def carry_out(self, step: Step) -> None:
        self.before()
        failure = self.script.pop(0) if self.script else None
        if failure:
            raise failure
        if (step.kind == UPDATE) != (step.name in self.bodies) and step.kind != DELETE:
            raise Unavailable(f"SES {step.kind} receipt rule {step.name}")
        self.steps.append(step)
        self.bodies.pop(step.name, None)
        if step.kind != DELETE:
            self.bodies[step.name] = Rule(step.name, step.recipients)

    @property
    def recipients(self) -> set[str]:
        return {recipient for rule in self.bodies.values() for recipient in rule.recipients}


@dataclass
class FakeAliasTable:
    aliases: dict[str, Row] = field(default_factory=dict)
    failure: Exception | None = None

    def rows(self) -> dict[str, Row]:
        if self.failure:
            raise self.failure
        return dict(self.aliases)


@dataclass
class FakeRecipientsLog:
    lags: list[float] = field(default_factory=list)
    looks: list[Progress] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def progress(self, progress: Progress) -> None:
        self.looks.append(progress)

    def lag(self, seconds: float) -> None:
        self.lags.append(seconds)

    def left_to_another(self) -> None:
        self.lines.append("left to another")

    def answered(self, said: str) -> None:
        self.lines.append(said)

    def failure(self, error: Exception) -> None:
        self.lines.append(f"failure {type(error).__name__}")
