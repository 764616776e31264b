"""Identities and hosted zones in memory, held to the truth by tests/contract/test_domains.py and `make test-deploy`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from postern_mail.custom_resource import Deadline, Request
from postern_mail.domains.carry_out import Keeping
from postern_mail.domains.plan import (
    CONFIGURATION_SET,
    FEEDBACK_BY_MAIL,
    KEY_LENGTH,
    MAIL_FROM_DOMAIN,
    SIGN,
    Change,
    Identity,
    Step,
)
from postern_mail.domains.records import Dkim, RecordSet
from postern_mail.domains.wish import Wish
from postern_mail.errors import Misconfigured, Refused

from tests.rule_fakes import FakeStacks

STACK = "arn:aws:cloudformation:eu-west-1:123456789012:stack/postern/1"
ZONE = "Z1"


def properties(*domains: str, **others: Any) -> dict[str, Any]:
    """What the template asks for."""
    return {
        "Domains": list(domains),
        "HostedZones": [""],
        "Records": ["dkim", "mailfrom"],
        "MailFromLabel": "bounces",
        "DmarcPolicy": "none",
        "ConfigurationSet": "postern-forward",
        **others,
    }


def tokens(domain: str) -> tuple[str, ...]:
    return tuple(f"{domain.replace('.', '')}{number}" for number in (1, 2, 3))


@dataclass
class Failures:
    """What the calls meet, by their number: before AWS did what was asked, or `after`."""

    at: dict[int, Exception] = field(default_factory=dict)
    after: bool = False
    calls: list[str] = field(default_factory=list)

    def meet(self, name: str, work: Callable[[], Any]) -> Any:
        self.calls.append(name)
        failure = self.at.get(len(self.calls))
        if failure and not self.after:
            raise failure
        done = work()
        if failure:
            raise failure
        return done


@dataclass
class FakeIdentities:
    """SES's identities. `refused` are kinds of steps that it takes for no identity."""

    failures: Failures = field(default_factory=Failures)
    there: dict[str, Identity] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)

    def look(self, domain: str) -> Identity | None:
        found: Identity | None = self.failures.meet(f"look {domain}", lambda: self.there.get(domain))
        return found

    def make(self, domain: str, wish: Wish) -> None:
        new = Identity(
            dkim=Dkim(tokens(domain)),
            configuration_set=wish.configuration_set,
            made_by=wish.stack,
            dkim_status="PENDING",
        )
        self.failures.meet(f"make {domain}", lambda: self.there.setdefault(domain, new))

    def carry_out(self, step: Step) -> None:
        self.failures.meet(f"{step.kind} {step.domain}", lambda: self._set(step))

    def _set(self, step: Step) -> None:
        if step.kind in self.refused:
            raise Refused(f"no {step.kind}")
        changed: Mapping[str, Mapping[str, Any]] = {
            MAIL_FROM_DOMAIN: {"mail_from": step.value},
            CONFIGURATION_SET: {"configuration_set": step.value},
            SIGN: {"signs": bool(step.value)},
            KEY_LENGTH: {"next_key": step.value},
            FEEDBACK_BY_MAIL: {"feedback_by_mail": bool(step.value)},
        }
        self.there[step.domain] = replace(self.there[step.domain], **changed[step.kind])


@dataclass
class FakeZones:
    """Route 53: `names` by id, and the record sets of each."""

    failures: Failures = field(default_factory=Failures)
    names: dict[str, str] = field(default_factory=lambda: {ZONE: "example.com"})
    sets: dict[tuple[str, str, str], RecordSet] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def name(self, zone: str) -> str:
        def found() -> str:
            if zone not in self.names:
                raise Misconfigured(f"HostedZones: there is no hosted zone {zone}")
            return self.names[zone]

        name: str = self.failures.meet(f"zone {zone}", found)
        return name

    def look(self, zone: str, name: str, type: str) -> RecordSet | None:
        found: RecordSet | None = self.failures.meet(f"look {type} {name}", lambda: self.sets.get((zone, name, type)))
        return found

    def change(self, zone: str, change: Change) -> None:
        self.failures.meet(f"change {change.create.type} {change.create.name}", lambda: self._change(zone, change))

    def _change(self, zone: str, change: Change) -> None:
        place = zone, change.create.name, change.create.type
        if self.sets.get(place) != change.delete:
            raise Refused("what is there is not what the batch expects")
        self.sets[place] = change.create
        self.changes.append(change)

    def put(self, name: str, type: str, *values: str, ttl: int = 3600, zone: str = ZONE) -> RecordSet:
        """What someone wrote."""
        self.sets[zone, name, type] = RecordSet(name, type, ttl, values)
        return self.sets[zone, name, type]


@dataclass
class Account:
    """An account that a stack keeps domains in. `seconds` is what is left of an invocation, for ever if it is None."""

    failures: Failures = field(default_factory=Failures)
    stacks: FakeStacks = field(default_factory=FakeStacks)
    seconds: float | None = None
    pauses: list[float] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    onward: list[Mapping[str, Any]] = field(default_factory=list)
    meanwhile: Callable[[], None] = field(default=lambda: None)

    def __post_init__(self) -> None:
        self.ses = FakeIdentities(self.failures)
        self.zones = FakeZones(self.failures)

    def ask(self, kind: str, wish: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> str | None:
        """One request of CloudFormation, with all the invocations it takes except those that `onward` was asked for."""
        event = {"RequestType": kind, "StackId": STACK, "ResourceProperties": wish}
        return self.invoke({**event, "OldResourceProperties": before} if before else event)

    def invoke(self, event: Mapping[str, Any]) -> str | None:
        end = self.seconds

        def pause(seconds: float) -> None:
            nonlocal end
            self.pauses.append(seconds)
            end = None if end is None else end - seconds
            self.meanwhile()

        keeping = Keeping(
            identities=self.ses,
            zones=self.zones,
            stacks=self.stacks,
            deadline=Deadline(lambda: 900 if end is None else end, pause),
            onward=lambda event: self.failures.meet("onward", lambda: self.onward.append(event)),
            say=self.said.append,
        )
        return keeping.carry_out(Request.from_event(event))

    def records(self) -> dict[tuple[str, str], tuple[str, ...]]:
        return {(name, type): one.values for (_, name, type), one in self.zones.sets.items()}
