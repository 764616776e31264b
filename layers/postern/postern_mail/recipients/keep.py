"""Keeps the receipt rules equal to the alias table: on every change of the table, and on a schedule.

The schedule is needed for what makes no event: an expiry, a rule that someone changed, a run that ended early. Every
run reads the whole table and all rules, so it does not matter what an event says, how often it comes, or whether it
comes at all.

CloudFormation's part is two moments. Before the template's domain-wide rule is deleted, one rule of ours accepts the
domains whole (Create, Update); the following runs narrow it. After the template's rule is back, ours are deleted
(Delete). CloudFormation deletes last, which does the rest.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ..custom_resource import RESERVE, Deadline, Put, Request, answered, put
from ..errors import ClaimHeld, Misconfigured, Refused, Temporary, Unavailable
from ..mail.records import dataclass, replace
from ..ports.clock import Clock
from .addresses import wanted
from .plan import DELETE, Step, opening, plan, room
from .ports import AliasTable, Lease, Progress, RecipientsLog, RuleStore, Turn

# Seconds before the end of the function after which no further call is made: enough for one call to SES with its pause
# and retries, and for giving the lease back.
MARGIN = 60
_ASK_AGAIN = 2  # seconds until a request of CloudFormation tries for the lease again
# Attempts at a request of CloudFormation, 20 seconds in all: a role just created is refused until IAM has propagated
# it.
PATIENCE = 5

Remaining = Callable[[], float]  # seconds until the function times out


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Makes the rules match the table. Safe to run at any time, any number of times."""

    domains: Collection[str]
    prefix: str
    rule_set: str
    rules_in: Callable[[str], RuleStore]  # our rules in the set of this name
    table: AliasTable
    lease: Lease
    clock: Clock
    log: RecipientsLog
    pause: Callable[[float], None]
    put: Put = put

    @property
    def rules(self) -> RuleStore:
        """Our rules, in the set where they belong."""
        return self.rules_in(self.rule_set)

    def handle(self, event: Mapping[str, Any], remaining: Remaining) -> None:
        """Answer a request of CloudFormation; on any other event compare the rules with the table.

        Raises Temporary; Lambda or the next run retries.
        """
        try:
            if "RequestType" in event:
                self._answer(Request.from_event(event), remaining)
            else:
                self.follow(changed_at(event), remaining)
        except Exception as error:
            self.log.failure(error)
            raise

    def follow(self, since: float | None, remaining: Remaining) -> None:
        """Make the rules match the table; `since` is when the table changed (epoch seconds), if known.

        What does not fit into the time is left to the next run. Raises Temporary. After CloudFormation had our rules
        removed from this set, later runs create none there.
        """
        turn = self.lease.take()
        if turn is None:
            self.log.left_to_another()
        while turn is not None:
            if self.rule_set in turn.retired:
                turn = self.lease.give_back(turn, None)
                continue
            turn = self._look(turn, _earlier(turn.behind_since, since), remaining)
            since = None

    def _look(self, turn: Turn, since: float | None, remaining: Remaining) -> Turn | None:
        began = self.clock.now()
        try:
            progress = self._level(turn, remaining)
        except Exception:
            self._behind(turn, since or began)
            raise
        self.log.progress(progress)
        if progress.left:
            return self._behind(turn, since or began)
        self.log.lag(self.clock.now() - (since or began) if since or progress.done else 0)
        return self.lease.give_back(turn, None)

    def _behind(self, turn: Turn, since: float) -> Turn | None:
        self.log.lag(self.clock.now() - since)
        return self.lease.give_back(turn, since)

    def _level(self, turn: Turn, remaining: Remaining) -> Progress:
        found = self.rules.read()
        aim = wanted(self.table.rows(), self.domains, self.clock.now(), room(found.others))
        steps = plan(found.ours, aim.recipients, self.prefix)
        try:
            done = self._carry_out(turn, steps, remaining)
        except Refused as refused:
            self._carry_out(turn, self._opening(), remaining)
            raise Misconfigured(f"our domains are taken whole, because a rule is refused: {refused}") from refused
        return Progress(done, len(steps) - done, len(aim.recipients), aim.whole)

    def _carry_out(self, turn: Turn, steps: Sequence[Step], remaining: Remaining) -> int:
        """Make the calls; returns how many were made before the time was over."""
        for done, step in enumerate(steps):
            if remaining() < MARGIN:
                return done
            self.lease.renew(turn)
            self.rules.carry_out(step)
        return len(steps)

    def _opening(self) -> list[Step]:
        return opening(self.rules.read().ours, self.domains, self.prefix)

    def _answer(self, request: Request, remaining: Remaining) -> None:
        # When the stack switches to another set, CloudFormation has our rules in the old one removed: the set is part
        # of the resource's name, and the request says which one it means.
        named = str(request.properties.get("RuleSet", ""))
        there = replace(self, rule_set=named) if named else self
        work = there._remove if request.kind == "Delete" else there._open
        deadline = Deadline(remaining, self.pause)

        def patiently() -> str:
            for attempt in range(1, PATIENCE):
                try:
                    return work(remaining)
                except Temporary:
                    deadline.pause(_ASK_AGAIN * attempt)  # the last attempt, below, lets its exception through
            return work(remaining)

        self.log.answered(answered(request, patiently, name=f"{named}/{self.prefix}", deadline=deadline, put=self.put))

    def _open(self, remaining: Remaining) -> str:
        with self._turn(remaining, self.clock.now()) as turn:
            self.lease.retire(turn, self.rule_set, for_good=False)
            self._all(turn, self._opening(), remaining)
        return "our domains are taken whole until the next run"

    def _remove(self, remaining: Remaining) -> str:
        with self._turn(remaining, None) as turn:
            self._all(turn, [Step(DELETE, rule.name) for rule in self.rules.read().ours], remaining)
            self.lease.retire(turn, self.rule_set, for_good=True)
        return "our rules are gone"

    @contextmanager
    def _turn(self, remaining: Remaining, behind_since: float | None) -> Iterator[Turn]:
        """The lease, once it is free; `behind_since` is what the next run finds. Raises ClaimHeld."""
        while (turn := self.lease.take()) is None:
            if remaining() < MARGIN + RESERVE:
                raise ClaimHeld("another invocation is writing the rules")
            self.pause(_ASK_AGAIN)
        try:
            yield turn
        finally:
            let_go: Turn | None = turn
            while let_go is not None:
                let_go = self.lease.give_back(let_go, behind_since)

    def _all(self, turn: Turn, steps: Sequence[Step], remaining: Remaining) -> None:
        done = self._carry_out(turn, steps, remaining)
        if done < len(steps):
            raise Unavailable(f"{len(steps) - done} of {len(steps)} calls to SES did not fit into the time")


def changed_at(event: Mapping[str, Any]) -> float | None:
    """When the oldest of a stream's records was written, in epoch seconds, to the second; None for any other event."""
    times = [record["dynamodb"].get("ApproximateCreationDateTime") for record in event.get("Records", ())]
    return min((float(time) for time in times if time is not None), default=None)


def _earlier(one: float | None, other: float | None) -> float | None:
    return min((time for time in (one, other) if time is not None), default=None)
