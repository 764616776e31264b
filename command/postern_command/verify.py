"""`postern verify`: test on a real account, within minutes, what nothing else can show."""

import json
import secrets
import smtplib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from .experiments.experiment import Answer, Experiment, as_json, cost, line
from .options import JsonOption, StackOption
from .output.terminal import printer
from .stack import Stack
from .status import UsageError, exits, usage_error

if TYPE_CHECKING:
    from .experiments.conversation import Endpoint
    from .experiments.stage import Stage as Stages


@dataclass(frozen=True, slots=True)
class _How:
    """The options of a run."""

    wait: int
    endpoint: str | None
    run: str | None
    yes: bool
    as_json: bool


def verify(
    domain: Annotated[str | None, typer.Option(help="One of the stack's domains; else its only one.")] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="NAME", help="Only this experiment; may be repeated.")
    ] = None,
    wait: Annotated[int, typer.Option(min=0, metavar="SECONDS", help="How long to wait for each message.")] = 120,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    smtp: Annotated[bool, typer.Option("--smtp", help="Only the SMTP part, on a host without credentials.")] = False,
    run: Annotated[str | None, typer.Option(help="With --smtp: the id of the run that waits elsewhere.")] = None,
    clean: Annotated[bool, typer.Option("--clean", help="Remove what an interrupted run left behind.")] = False,
    endpoint: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="SES's receiving endpoint; else the region's.")
    ] = None,
    stack: StackOption = None,
    as_json_: JsonOption = False,
) -> None:
    """Test what only a real AWS account can show, and print the lines for docs/quirks.md.

    It first says what it sends, checks and costs, and asks. It adds receipt rules for reserved addresses only, before
    all others, and removes them whatever happens.
    """
    chosen = _chosen(only)
    how = _How(wait, endpoint, run, yes, as_json_)
    with exits():
        if smtp:
            _by_smtp_alone(chosen, domain, how)
        elif clean:
            _clean(stack)
        else:
            _whole(chosen, _domain(stack, domain), stack, how)


def _chosen(only: list[str] | None) -> list[Experiment]:
    from .experiments.receiving import RECEIVING  # noqa: PLC0415 (they need boto3)
    from .experiments.sending import SENDING  # noqa: PLC0415
    from .experiments.submission import SUBMISSION  # noqa: PLC0415

    known = {one.name: one for one in (*RECEIVING, *SENDING, *SUBMISSION)}
    for name in only or ():
        if name not in known:
            usage_error(f"unknown experiment {name}: expected one of {', '.join(known)}")
    return [one for name, one in known.items() if not only or name in only]


def _endpoint(asked: str | None, region: str) -> "Endpoint":
    from .experiments.conversation import PORT, Endpoint  # noqa: PLC0415

    if not asked:
        return Endpoint.of(region)
    host, _, port = asked.partition(":")
    return Endpoint(host, int(port) if port.isdecimal() else PORT)


def _domain(stack: str | None, asked: str | None) -> str:
    """Raises UsageError where there are several and none is named."""
    domains = Stack.find(stack).domains
    if asked and asked.lower() not in domains:
        raise UsageError(f"{asked} is not one of the stack's domains, {', '.join(sorted(domains))}")
    if not asked and len(domains) > 1:
        raise UsageError(f"which domain? --domain NAME: {', '.join(sorted(domains))}")
    return asked.lower() if asked else min(domains)


def _whole(chosen: list[Experiment], domain: str, stack: str | None, how: "_How") -> None:
    from .experiments.stage import Names, Stage, built, region  # noqa: PLC0415 (boto3 takes half a second)

    found = Stack.find(stack)
    say = printer()
    here = region()
    at = _endpoint(how.endpoint, here)
    for one in chosen if not how.as_json else ():
        say(f"{one.name:18} sends {one.sends}; checks {one.looks_for}; {one.cost:.4f} USD", None)
    if not how.yes:
        typer.confirm(f"Run these {len(chosen)} on {domain} for at most {cost(chosen):.2f} USD?", abort=True, err=True)
    names = Names(domain, how.run or secrets.token_hex(4))
    with built(Stage(names, found.deployed or "postern", found["bucket"], how.wait)) as stage:
        for one in chosen:
            answer = one.run(stage) if one.run else _talked(one, stage, at)
            _tell(one, answer, here, how)


def _talked(one: Experiment, stage: "Stages", endpoint: "Endpoint") -> Answer:
    """The answer of an SMTP experiment, run from here, or from another host while this one waits."""
    from .experiments.conversation import TALKS  # noqa: PLC0415

    assert one.judge is not None
    closed = endpoint.closed()
    if not closed:
        try:
            return one.judge(TALKS[one.name](endpoint, stage.names), stage.arrived(one.name))
        except (OSError, smtplib.SMTPException) as failure:
            return Answer(untried=f"the conversation with {endpoint.host} broke off: {failure}")
    names = stage.names
    typer.echo(
        f"{one.name}: {closed}. While this waits, run on a host whose port 25 is open:"
        f" postern verify --smtp --only {one.name} --domain {names.domain} --run {names.run}"
        f" --endpoint {endpoint.host}",
        err=True,
    )
    found = stage.arrived(one.name)
    return one.judge(None, found) if found else Answer(untried=closed)


def _by_smtp_alone(chosen: list[Experiment], domain: str | None, how: "_How") -> None:
    """Raises UsageError."""
    from .experiments.conversation import TALKS  # noqa: PLC0415
    from .experiments.stage import Names  # noqa: PLC0415

    if not (domain and how.run and how.endpoint):
        raise UsageError("--smtp needs --domain, --run and --endpoint, as the waiting `postern verify` printed them")
    endpoint = _endpoint(how.endpoint, "")
    closed = endpoint.closed()
    for one in chosen:
        if one.judge is None:
            continue
        try:
            answer = (
                Answer(untried=closed) if closed else one.judge(TALKS[one.name](endpoint, Names(domain, how.run)), None)
            )
        except (OSError, smtplib.SMTPException) as failure:
            answer = Answer(untried=f"the conversation with {endpoint.host} broke off: {failure}")
        _tell(one, answer, endpoint.region, how)


def _tell(one: Experiment, answer: Answer, region: str, how: "_How") -> None:
    day = datetime.now(UTC).date().isoformat()
    if how.as_json:
        typer.echo(json.dumps(as_json(one, answer, day, region)))
    else:
        say = line(one, answer, day, region) or f"{one.name}: could not be tested here: {answer.untried}"
        printer()(say, None)


def _clean(stack: str | None) -> None:
    from .experiments.cleaning import clean  # noqa: PLC0415 (boto3 takes half a second)

    gone = clean(Stack.find(stack).deployed or "postern")
    printer()("\n".join(f"removed: {name}" for name in gone) or "no run left anything behind", None)
