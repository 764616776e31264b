"""Brings every domain to the state that the template asks for, at most one SES call a second, for as long as it takes.

SES allows one call a second in the whole account, so a hundred new domains take longer than one function may run. What
is not done when the time is nearly over continues in another invocation, starting with the next domain; the last one
answers CloudFormation. Every domain is examined first and only differences are written, so a request that is repeated,
even after a crash, changes nothing.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from ..custom_resource import Deadline, Request
from ..errors import Misconfigured, OutOfTime, Refused, Temporary, Throttled, Unavailable
from ..mail.records import asdict, dataclass, field, replace
from ..ruleset import Stacks
from .plan import MAKE, Change, Identity, Left, Step, identity_steps, record_step, release_steps
from .ports import Identities, Zones
from .records import RecordSet, Wanted, wanted
from .wish import Wish

SES_PACE = 1.1  # seconds before each call: SES allows one a second (its quotas page)
ZONE_PACE = 0.25  # Route 53 allows five a second for an account (its quotas page)
LONGEST = 10.0  # seconds of one pause
PATIENCE = 5  # attempts at a failing call: a role just created is refused until IAM has propagated it
THROTTLES = 30  # attempts at a throttled call: the recipients function uses the same quota
HAND_OVER = 180  # seconds before the function's end (of 15 minutes) after which no further domain is started
MOST_TURNS = 10  # invocations for one request; Lambda ends a function that calls itself after 16
ONWARD = "PosternOnward"  # key in a later turn's event, beside CloudFormation's request

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one request has come: its turn, the index of the next domain, and what was done so far."""

    turn: int = 1
    next: int = 0
    made: int = 0
    adopted: int = 0
    written: int = 0
    left: int = 0

    def summary(self, wish: Wish) -> str:
        """What CloudFormation is told; its answer has 4,096 bytes, so nothing in it is by domain."""
        left = f", {self.left} left as they are: the log and `postern domain show` name them" if self.left else ""
        return (
            f"{len(wish.domains)} domains: {self.made} identities made, {self.adopted} adopted;"
            f" {self.written} record sets written{left}"
        )


@dataclass(slots=True)
class Tempo:
    """Seconds before each call to SES: twice as many once a throttle shows that another caller uses the same quota."""

    seconds: float = SES_PACE

    def slow_down(self) -> None:
        """Leave half of the quota to others from now on."""
        self.seconds = 2 * SES_PACE


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """Carries out one request of CloudFormation. Safe to repeat.

    `onward` starts the next invocation with an event; `say` logs a line for everything that was done or left unchanged.
    """

    identities: Identities
    zones: Zones
    stacks: Stacks
    deadline: Deadline
    onward: Callable[[Mapping[str, Any]], None]
    say: Callable[[str], None]
    tempo: Tempo = field(default_factory=Tempo)

    def carry_out(self, request: Request) -> str | None:
        """Carry out the request and return what was done, None if another invocation continues.

        Raises Misconfigured if it must not be done, Temporary if it could not be.
        """
        try:
            return self._carry_out(request)
        except Exception as error:
            if request.kind == "Update" and self.stacks.rolling_back(request.stack):
                return f"left as it is, because the stack rolls back: {error}"
            raise

    def _carry_out(self, request: Request) -> str | None:
        wish = Wish.of(request.stack, request.properties)
        progress = Progress(**request.event.get(ONWARD, {}))
        before = _before(request)
        gone = wish.domains if request.kind == "Delete" else _gone(before, wish)
        kept = () if request.kind == "Delete" else wish.domains
        try:
            zones = self._zones(wish) if kept else {}
            for place in range(progress.next, len(kept) + len(gone)):
                if self.deadline.remaining() < HAND_OVER:
                    raise OutOfTime("the time of one invocation")
                if place < len(kept):
                    progress = self._keep(kept[place], wish, before, zones.get(kept[place], ""), progress)
                else:
                    self._give_back(gone[place - len(kept)], before if before and kept else wish)
                progress = replace(progress, next=place + 1)
        except OutOfTime:
            self._go_on(request, replace(progress, turn=progress.turn + 1))
            return None
        return progress.summary(wish) if kept else "identities and records stay; `postern domain remove` deletes them"

    def _go_on(self, request: Request, progress: Progress) -> None:
        if progress.turn > MOST_TURNS:
            raise Unavailable(f"not done after {MOST_TURNS} invocations: SES keeps refusing calls")
        event = {**request.event, ONWARD: asdict(progress)}
        try:
            self.onward(event)
        except Temporary:
            self.onward(event)  # a second copy does no harm
        self.say(f"goes on in invocation {progress.turn} with domain {progress.next + 1}")

    def _zones(self, wish: Wish) -> dict[str, str]:
        """The hosted zone of each domain that has one: the nearest above it. Raises Misconfigured if two zones match
        one domain, or a zone matches none."""
        by_name: dict[str, str] = {}
        for zone in wish.zones:
            name = self._patiently(partial(self.zones.name, zone), ZONE_PACE)
            if name in by_name:
                raise Misconfigured(f"HostedZones: {by_name[name]} and {zone} are both of {name}")
            by_name[name] = zone
        found = {domain: max(_above(domain, by_name), key=len, default="") for domain in wish.domains}
        for name in by_name.keys() - found.values():
            raise Misconfigured(
                f"HostedZones: {by_name[name]} is the zone of {name}, which is above none of the domains"
            )
        return {domain: by_name[name] for domain, name in found.items() if name}

    # --- one domain -----------------------------------------------------------------------------------------

    def _keep(self, domain: str, wish: Wish, before: Wish | None, zone: str, progress: Progress) -> Progress:
        found = self._look(domain)
        if made := found is None:
            self._ses(lambda: self.identities.make(domain, wish))
            self.say(f"{domain}: {MAKE}")
            found = self._look(domain)
        if found is None:
            raise Unavailable(f"SES does not show the identity {domain} that was just made")
        left = 0
        for step in identity_steps(domain, found, wish, before):
            left += self._step(step)
        written = 0
        if zone:
            earlier = _by_place(wanted(domain, found.dkim, before.options, before.parts)) if before else {}
            for one in wanted(domain, found.dkim, wish.options, wish.parts):
                done = self._record(domain, zone, one, earlier.get((one.set.name, one.set.type)))
                written, left = written + (done is True), left + (done is False)
        return replace(
            progress,
            made=progress.made + made,
            adopted=progress.adopted + (found.made_by != wish.stack),
            written=progress.written + written,
            left=progress.left + left,
        )

    def _give_back(self, domain: str, wish: Wish) -> None:
        for step in release_steps(domain, self._look(domain), wish):
            self._step(step)

    def _look(self, domain: str) -> Identity | None:
        return self._ses(lambda: self.identities.look(domain))

    def _step(self, step: Step | Left) -> bool:
        """Carry out a step; True if it was left undone."""
        if isinstance(step, Step):
            try:
                self._ses(partial(self.identities.carry_out, step))
            except Refused as refused:
                step = Left(step.domain, f"{step.kind}: {refused}")
        if isinstance(step, Left):
            self.say(f"{step.domain}: left as it is: {step.why}")
            return True
        self.say(f"{step.domain}: {step.kind}: {step.value or 'off'}")
        return False

    def _record(self, domain: str, zone: str, one: Wanted, before: RecordSet | None) -> bool | None:
        """Write a record set: True if it was written, False if it was left, None if it was there.

        Route 53 refuses a batch that is repeated because its answer was lost, and one that another change overtook: the
        records then found decide.
        """
        step = self._record_step(domain, zone, one, before)
        if isinstance(step, Change):
            try:
                self._patiently(lambda: self.zones.change(zone, step), ZONE_PACE)
            except Refused as refused:
                after = self._record_step(domain, zone, one, before)
                if after is not None:
                    after = after if isinstance(after, Left) else Left(domain, f"Route 53 refuses it: {refused}")
                    return not self._step(after)
            self.say(f"{domain}: wrote {one.set.type} of {one.set.name}")
            return True
        return None if step is None else not self._step(step)

    def _record_step(self, domain: str, zone: str, one: Wanted, before: RecordSet | None) -> Change | Left | None:
        found = self._patiently(lambda: self.zones.look(zone, one.set.name, one.set.type), ZONE_PACE)
        return record_step(domain, one, found, before)

    # --- calls ----------------------------------------------------------------------------------------------

    def _ses(self, call: Callable[[], _T]) -> _T:
        return self._patiently(call, self.tempo.seconds)

    def _patiently(self, call: Callable[[], _T], pace: float) -> _T:
        """Make a call after a pause; while it fails, again after longer ones. Raises OutOfTime."""
        failures = 0
        for attempt in range(1, THROTTLES + 1):
            self._pause(min(pace * attempt, LONGEST))
            try:
                return call()
            except Temporary as failure:
                if isinstance(failure, Throttled):
                    self.tempo.slow_down()
                else:
                    failures += 1
                if failures == PATIENCE or attempt == THROTTLES:
                    raise
        raise AssertionError("unreachable")

    def _pause(self, seconds: float) -> None:
        try:
            self.deadline.pause(seconds)
        except Unavailable as late:
            raise OutOfTime(str(late)) from late


def _before(request: Request) -> Wish | None:
    """The wish of the last deployment; None if that was refused, or if another version understood it differently."""
    try:
        return Wish.of(request.stack, request.event["OldResourceProperties"])
    except (Misconfigured, LookupError, TypeError):
        return None


def _gone(before: Wish | None, wish: Wish) -> tuple[str, ...]:
    return tuple(domain for domain in (before.domains if before else ()) if domain not in wish.domains)


def _above(domain: str, names: Mapping[str, str]) -> list[str]:
    return [name for name in names if domain == name or domain.endswith(f".{name}")]


def _by_place(records: list[Wanted]) -> dict[tuple[str, str], RecordSet]:
    return {(one.set.name, one.set.type): one.set for one in records}
