"""Keeping the rules equal to the table: on every change of it, and by the clock.

The clock is needed for what makes no event: an expiry that passes, a rule that somebody changed, a
run that ended before its work. Every run looks at the whole table and all rules, so it does not
matter what an event says, how often it comes, or whether it comes at all.

CloudFormation's part is two moments. Before the template's domain-wide rule goes, one rule of
ours takes the domains whole (Create, Update); the runs that follow narrow it. After the template's
rule has come back, ours go (Delete). Its own order of work, deletions last, does the rest.
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

# Seconds before the end of the function after which no further call is made: one call to SES with
# its pause and its retries, and giving the lease back.
MARGIN = 60
_ASK_AGAIN = 2  # seconds until a request of CloudFormation asks for the lease again
# Attempts at a request of CloudFormation, 20 seconds in all: a role that was just made is refused
# until IAM knows it everywhere.
PATIENCE = 5

Remaining = Callable[[], float]  # seconds until the function is ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Brings the rules to where the table is. Safe to run at any time, any number of times."""

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
        """Our rules, where they are to be."""
        return self.rules_in(self.rule_set)

    def handle(self, event: Mapping[str, Any], remaining: Remaining) -> None:
        """A request of CloudFormation is answered; anything else means: look at the table.

        Raises Temporary, and Lambda or the next run tries again.
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
        """Make the rules say what the table says; `since` is when it was changed, if that is known.

        What does not fit into the time is left to the next run. Raises Temporary. Once CloudFormation had our
        rules removed from this set, a run that was still to come makes none.
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
        """How many of the steps were made before the time was over."""
        for done, step in enumerate(steps):
            if remaining() < MARGIN:
                return done
            self.lease.renew(turn)
            self.rules.carry_out(step)
        return len(steps)

    def _opening(self) -> list[Step]:
        return opening(self.rules.read().ours, self.domains, self.prefix)

    def _answer(self, request: Request, remaining: Remaining) -> None:
        # When the stack goes over to another set, CloudFormation has those in the old one removed: the
        # set is part of the resource's name, and the request says which it means.
        named = str(request.properties.get("RuleSet", ""))
        there = replace(self, rule_set=named) if named else self
        work = there._remove if request.kind == "Delete" else there._open
        deadline = Deadline(remaining, self.pause)

        def patiently() -> str:
            for attempt in range(1, PATIENCE):
                try:
                    return work(remaining)
                except Temporary:
                    deadline.pause(_ASK_AGAIN * attempt)  # the last attempt, below, lets it out
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
        """The lease, waited for; `behind_since` is what the next run finds. Raises ClaimHeld."""
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
    """When the oldest of a stream's records was written, to the second; None for any other event."""
    times = [record["dynamodb"].get("ApproximateCreationDateTime") for record in event.get("Records", ())]
    return min((float(time) for time in times if time is not None), default=None)


def _earlier(one: float | None, other: float | None) -> float | None:
    return min((time for time in (one, other) if time is not None), default=None)
