"""`postern domain`: what SES and DNS have for a mail domain, and cleaning up after one that left the stack."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from postern_mail.domains.plan import MAIL_FROM_DOMAIN, Left, Step, identity_steps, record_step, release_steps
from postern_mail.domains.records import DKIM, SPF, DnsOptions, wanted
from postern_mail.domains.wish import Wish
from postern_mail.errors import Refused

from .options import DryRunOption, JsonOption, StackOption
from .output.terminal import printer
from .stack import Stack
from .status import UsageError, exits, refuse

if TYPE_CHECKING:
    from postern_mail.domains.plan import Identity
    from postern_mail.domains.records import RecordSet

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Mail domains: what SES and DNS have for each. The parameter Domains lists them.",
)

DomainArgument = Annotated[str, typer.Argument(help="A mail domain.")]
_VERIFIED = "SUCCESS"  # SES's word


@app.command("ls", hidden=True)
@app.command("list")
def list_(stack: StackOption = None, as_json: JsonOption = False) -> None:
    """List the stack's domains, and former ones that still have an identity or records.

    SES receives for a domain, and sends in its name, once it is verified. With --json, one object per line: domain,
    status, listed.
    """
    from .aws import domains as aws  # noqa: PLC0415 (boto3 takes half a second)

    with exits():
        where = _deployed(stack)
        statuses, left = aws.statuses(), list(aws.left_behind(where, wish(where, aws.region())))
    say = printer()
    for domain in [*sorted(where.domains), *(one.domain for one in left)]:
        status, listed = statuses.get(domain, "no identity"), domain in where.domains
        if as_json:
            typer.echo(json.dumps({"domain": domain, "status": status, "listed": listed}))
            continue
        told = ("verified" if status == _VERIFIED else f"not verified: {status}") if listed else "left behind"
        say(f"{domain}  {told}", None if status == _VERIFIED and listed else "red")


@app.command()
def show(domain: DomainArgument, stack: StackOption = None, as_json: JsonOption = False) -> None:
    """Show what SES has for a domain, and what differs from what the stack would set but is left alone.

    `postern dns` shows its DNS records. Exit status 1 if SES does not know the domain.
    """
    from .aws import domains as aws  # noqa: PLC0415 (boto3 takes half a second)

    with exits():
        where = _deployed(stack)
        wanted_here = wish(where, aws.region())
        found = aws.identity(domain)
        if found is None:
            refuse(f"SES has no identity {domain}; the stack's domains are {', '.join(sorted(where.domains))}")
        left = [*_left(domain, found, wanted_here), *_records_left(domain, found, wanted_here)]
    told = _object(domain, found, where)
    if as_json:
        typer.echo(json.dumps({**told, "left": left}))
        return
    say = printer()
    for name, value in told.items():
        say(f"{name.replace('_', ' '):18} {value if isinstance(value, str) else 'yes' if value else 'no'}", None)
    for why in left:
        say(f"left alone: {why}", "red")


@app.command("rm", hidden=True)
@app.command("remove")
def remove(
    domain: DomainArgument,
    again: Annotated[str | None, typer.Option(help="The domain again, to confirm without being asked.")] = None,
    stack: StackOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Delete the identity and the DNS records that the stack made for a domain it no longer has.

    SES then neither receives for the domain nor sends in its name. Exit status 1 if the stack still has the domain,
    if its MX in public DNS names SES, or if you do not confirm; 3 if DNS does not answer.
    """
    from .aws import domains as aws  # noqa: PLC0415 (boto3 takes half a second)
    from .records.public import mail_exchangers  # noqa: PLC0415 (it takes its time)

    with exits():
        where = _deployed(stack)
        if domain in where.domains:
            refuse(f"stack {where.deployed} still has {domain}: remove it from Domains, and deploy")
        still = [host for host in mail_exchangers(domain) if host.startswith("inbound-smtp.")]
        if still:
            refuse(f"mail for {domain} still goes to SES: its MX in public DNS is {still[0]}. Change that first")
        found = aws.identity(domain)
        made = found is not None and found.made_by == where.deployed
        zone = aws.zone_of(domain)
        here = wish(where, aws.region())
        ours = _ours(zone, domain, found, here, made=made) if zone else []
        undone = [] if made or found is None else _undone(domain, found, here)
        _tell(domain, made, found, ours, undone, dry_run=dry_run, as_json=as_json)
        if dry_run or not (made or ours or undone):
            return
        typed = again if again is not None else typer.prompt("Type the domain again", err=True)
        if typed.strip().lower() != domain:
            refuse(f"nothing was removed: {typed!r} is not {domain}")
        try:
            aws.carry_out(undone)
            if zone and ours:
                aws.delete_records(zone, ours)
        except Refused as refused:
            refuse(f"nothing was removed, because a record was changed meanwhile: {refused}")
        if made:
            aws.delete_identity(domain)


def _ours(zone: str, domain: str, found: "Identity | None", here: Wish, *, made: bool) -> "list[RecordSet]":
    """The records in a zone that are exactly as we write them. Not SPF: others share the domain's own TXT set. And not
    DKIM of an identity that stays: they verify it."""
    from .aws import domains as aws  # noqa: PLC0415 (boto3 takes half a second)

    dkim, kept = found.dkim if found else None, (SPF,) if made else (SPF, DKIM)
    written = [one.set for one in wanted(domain, dkim, here.options) if one.part not in kept] if dkim else []
    return [one for one in aws.there(zone, written) if one in written]


def _undone(domain: str, found: "Identity", here: Wish) -> list[Step]:
    """What the stack set on an identity that it adopted, set back to SES's default."""
    steps = release_steps(domain, found, here)
    mail_from = here.options.mail_from(domain)
    return [*steps, Step(MAIL_FROM_DOMAIN, domain)] if mail_from and found.mail_from == mail_from else steps


def _tell(
    domain: str, made: bool, found: "Identity | None", ours: "list[RecordSet]", undone: list[Step], *, dry_run: bool,
    as_json: bool,
) -> None:  # fmt: skip
    lines = [line for one in ours for line in one.lines()]
    kinds = [one.kind for one in undone]
    if as_json:
        told = {"domain": domain, "identity": made, "records": lines, "reset": kinds, "written": not dry_run}
        typer.echo(json.dumps(told))
        return
    say = printer()
    for line in lines:
        say(f"- {line}", None)
    for kind in kinds:
        say(f"- {kind} of the SES identity {domain}", None)
    if made:
        say(f"- the SES identity {domain}", None)
    elif found is not None:
        say(f"the SES identity {domain} stays: the stack did not make it", None)
    if not (made or ours or undone):
        say(f"the stack made nothing for {domain}", None)


def _deployed(stack: str | None) -> Stack:
    where = Stack.find(stack)
    if not where.deployed:
        raise UsageError("which stack? Give --stack NAME: only a deployed stack has identities and records")
    return where


def wish(where: Stack, region: str) -> Wish:
    """The domains and records that the stack was deployed with."""
    options = DnsOptions(region, where.get("mail_from_label") or "", where.get("dmarc_policy") or "none")
    zones, parts = ((where.get(name) or "").split(",") for name in ("zones", "records"))
    return Wish(
        where.deployed,
        tuple(sorted(where.domains)),
        tuple(filter(None, zones)),
        tuple(filter(None, parts)),
        options,
        f"{where.deployed}-forward",
    )


def _left(domain: str, found: "Identity", wish: Wish) -> list[str]:
    steps = identity_steps(domain, found, wish)
    return [f"{one.kind}: deploy again" if isinstance(one, Step) else one.why for one in steps]


def _records_left(domain: str, found: "Identity", wish: Wish) -> list[str]:
    from .aws import domains as aws  # noqa: PLC0415 (boto3 takes half a second)

    zone = aws.zone_of(domain) if wish.zones else None
    if zone not in wish.zones or zone is None:
        return []
    asked = wanted(domain, found.dkim, wish.options, wish.parts)
    there = {(one.name, one.type): one for one in aws.there(zone, [one.set for one in asked])}
    steps = [record_step(domain, one, there.get((one.set.name, one.set.type)), None) for one in asked]
    return [
        one.why if isinstance(one, Left) else f"{one.create.name} {one.create.type} is missing" for one in steps if one
    ]


def _object(domain: str, found: "Identity", where: Stack) -> dict[str, Any]:
    return {
        "domain": domain,
        "verified": found.verified,
        "dkim": found.dkim_status,
        "mail_from": found.mail_from,
        "mail_from_status": found.mail_from_status,
        "configuration_set": found.configuration_set,
        "made": found.made_by == where.deployed,
    }
