"""`postern dns`: the records that our domains need, and what public DNS has."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer
from postern_mail.domains.plan import Identity
from postern_mail.domains.records import DKIM, PARTS
from postern_mail.errors import Temporary

from .options import JsonOption, StackOption, WideOption
from .output.columns import Column, Columns
from .output.paragraphs import paragraphs
from .output.progress import progress
from .owner import file, values
from .records.judge import Judged, State
from .samconfig import SamConfig, environment
from .stack import Stack, select
from .status import AWS_FAILED, NO, UsageError, exits, usage_error, warn
from .surroundings import Surroundings
from .where import Where

PAUSE = 15.0  # seconds between two checks; resolvers cache for longer than that anyway
_STYLES = {State.MISSING: "yellow", State.NOT_EVERYWHERE: "yellow", State.IN_THE_WAY: "red", State.NO_ANSWER: "red"}
_INDENT = 16  # columns before the notes on a record
_pause, _clock = time.sleep, time.monotonic

DomainsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="DOMAIN...", help="Only these domains, even before there is a stack.")
]


def dns(
    domains: DomainsArgument = None,
    stack: StackOption = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="PART", help=f"Only this part: {', '.join(PARTS)}; may be repeated.")
    ] = None,
    zone_file: Annotated[bool, typer.Option("--zone-file", help="Print lines to paste into a zone file.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Check again until everything is right.")] = False,
    minutes: Annotated[int, typer.Option(min=1, max=4320, help="With --wait, give up after this many.")] = 120,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show the DNS records that each domain needs, what public DNS has, and what is missing or in the way.

    Before there is a stack, the domains come from owner.yaml. It asks several resolvers; POSTERN_RESOLVERS names
    others. SPF and DMARC are advice: mail flows without them. Exit status 0 if all required records are right, 1 if
    not, 3 if no resolver answered.
    """
    if unknown := sorted(set(only or ()) - set(PARTS)):
        usage_error(f"--only {', '.join(unknown)}: expected one of {', '.join(PARTS)}")
    with exits():
        checker = DnsChecker(domains, stack, frozenset(only or PARTS))
        checked = checker.wait(minutes * 60) if wait else checker.check()
    if as_json or zone_file:
        for domain, one in checked.each():
            for line in [json.dumps(as_object(domain, one))] if as_json else _zone_lines(one):
                typer.echo(line)
    else:
        _table(checked, wide)
    warn(checked.warnings)
    states = {one.state for one in checked.records if one.needed}
    if State.NO_ANSWER in states:
        raise typer.Exit(AWS_FAILED)
    if not checked.is_done:
        raise typer.Exit(NO)


class DnsCheck:
    """The result of one check: the records, and what could not be asked."""

    def __init__(self, records: Mapping[str, tuple[Judged, ...]], unverified: list[str], warnings: list[str]) -> None:
        self.by_domain = records
        self.records = [one for _, one in self.each()]
        self.unverified = unverified
        self.warnings = warnings

    def each(self) -> Iterator[tuple[str, Judged]]:
        """Every record with its domain."""
        return ((domain, one) for domain, each in self.by_domain.items() for one in each)

    @property
    def is_done(self) -> bool:
        """Whether SES and every record are ready for mail to flow."""
        return not self.unverified and all(one.is_done for one in self.records)

    @property
    def progress(self) -> str:
        """The progress, in one line."""
        needed = [one for one in self.records if one.needed]
        right = sum(one.state is State.RIGHT for one in needed)
        names = [f"{one.wanted.part} {one.state}" for one in needed if one.state is not State.RIGHT]
        names += [f"SES has not verified {domain}" for domain in self.unverified]
        return f"{right} of {len(needed)} right" + (f"; {', '.join(dict.fromkeys(names))}" if names else "")


class DnsChecker:
    """Checks a set of domains, once or until all is right."""

    def __init__(self, typed: list[str] | None, stack: str | None, parts: frozenset[str]) -> None:
        self._parts = parts
        self._stack = ""
        self._domains = tuple(one.lower().rstrip(".") for one in typed or ())
        if not typed and not stack:
            self._domains = _meant()
        if not self._domains:
            found = Stack.find(stack)
            self._stack, self._domains = found.deployed, tuple(sorted(found.domains))

    def check(self) -> DnsCheck:
        """Ask SES and DNS once. Raises Temporary only if no region is set."""
        around = Surroundings(self._domains, self._stack)
        identities: Mapping[str, Identity | None] = {}
        warnings = []
        try:
            identities = around.identities
        except Temporary as failure:
            warnings.append(f"could not ask SES for its DKIM and MAIL FROM records: {failure}")
        warnings += [
            f"{domain} is not an SES identity yet; SES gives its DKIM records after `make deploy`"
            for domain, one in identities.items()
            if one is None
        ]
        records = {
            domain: tuple(one for one in each if one.wanted.part in self._parts)
            for domain, each in around.judged(identities).items()
        }
        waits = DKIM in self._parts
        unverified = [domain for domain, one in identities.items() if waits and not (one and one.verified)]
        return DnsCheck(records, unverified, warnings)

    def wait(self, seconds: float) -> DnsCheck:
        """Check until all is right, for at most this many seconds; returns the last result."""
        end = _clock() + seconds
        with progress() as tell:
            while True:
                checked = self.check()
                left = end - _clock()
                tell(checked.progress, f"checked every {PAUSE:.0f} s, for {max(0, left) / 60:.0f} more minutes")
                if checked.is_done or left <= 0:
                    return checked
                _pause(PAUSE)


def _meant() -> tuple[str, ...]:
    """The domains of owner.yaml in the working directory, if its stack is not deployed yet; else none."""
    config = SamConfig.load(environment())
    if any(map(os.environ.get, ("POSTERN_DOMAINS", "POSTERN_STACK"))) or not (config.stack and config.owner):
        return ()
    if not config.owner.exists():
        return ()
    from .aws import account  # noqa: PLC0415 (boto3 takes half a second)

    select(Where(Where.typed.region or config.region, Where.typed.profile or config.profile))
    try:
        return () if account.stack_status(config.stack) else values.domains(file.values(file.read(config.owner)))
    except file.Unreadable as fault:
        raise UsageError(f"{config.owner}: {fault}") from fault


def as_object(domain: str, one: Judged) -> dict[str, Any]:
    """One record for --json."""
    record = one.wanted.set
    return {
        "domain": domain,
        "part": one.wanted.part,
        "needed": one.needed,
        "name": record.name,
        "type": record.type,
        "ttl": record.ttl,
        "wanted": list(record.values),
        "there": list(one.there),
        "state": one.state,
        "todo": one.todo,
    }


def _zone_lines(one: Judged) -> Iterator[str]:
    """The record as zone-file lines: commented out if another is in its way, none if it is already right."""
    if one.state is State.RIGHT:
        return
    if one.state is State.IN_THE_WAY:
        yield f"; {one.todo}"
    comment = "; " if one.state is State.IN_THE_WAY else ""
    yield from (f"{comment}{line}" for line in one.wanted.set.lines())


def _table(checked: DnsCheck, wide: bool) -> None:
    say = paragraphs()
    columns = Columns((Column(14), Column(5), Column(24, 1), Column(20, 3)), wide=wide)
    for domain, each in checked.by_domain.items():
        say(domain, 0, None)
        for one in each:
            record = one.wanted.set
            name = record.name.removesuffix(domain).rstrip(".") or "@"
            wanted = " ".join(record.values)
            state = f"{one.state}" if one.needed or one.state is State.RIGHT else f"{one.state}*"
            say(columns.line((state, record.type, name, wanted)), 0, _STYLES.get(one.state))
            if one.there and one.state is not State.RIGHT:
                say(f"found: {', '.join(one.there)}", _INDENT, None)
            if one.todo:
                say(f"-> {one.todo}", _INDENT, None)
    if any(not one.needed and one.state is not State.RIGHT for one in checked.records):
        say("* advice: mail flows without it, and it is not counted", 0, None)
    say(checked.progress, 0, None)
