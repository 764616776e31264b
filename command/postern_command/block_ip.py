"""`postern block-ip`: SES's IP address filters, which refuse a client within SMTP."""

import json
import os
from ipaddress import ip_network
from typing import TYPE_CHECKING, Annotated

import typer

from .options import DryRunOption, JsonOption, StackOption
from .output.terminal import printer
from .stack import Stack
from .status import exits, refuse, usage_error

if TYPE_CHECKING:
    from .aws.ip_filters import IpFilters

SHORTEST = 8  # bits of a prefix: a typing error must not block half the internet

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="SES's IP address filters: they answer 550 5.7.1 to a client, for every domain of the account.",
)

CidrArgument = Annotated[str, typer.Argument(help="An address or a network, 192.0.2.1 or 192.0.2.0/24.")]


@app.command("ls", hidden=True)
@app.command("list")
def list_(stack: StackOption = None, as_json: JsonOption = False) -> None:
    """List all IP filters of this account and region, including those that this stack did not make.

    With --json, one object per line: cidr, policy, name, ours.
    """
    with exits():
        found = _filters(stack).all()
    say = printer()
    for one in sorted(found, key=lambda one: (not one.ours, one.cidr)):
        policy = "allow" if one.allows else "block"
        if as_json:
            typer.echo(json.dumps({"cidr": one.cidr, "policy": policy, "name": one.name, "ours": one.ours}))
        else:
            say(f"{one.cidr:20} {policy}" + ("" if one.ours else f"  ({one.name}, not this stack's)"), None)


@app.command()
def add(
    cidr: CidrArgument,
    allow: Annotated[
        bool, typer.Option("--allow", help="Let it through where another filter, or SES's own for EC2, blocks it.")
    ] = False,
    stack: StackOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Have SES refuse all mail from an address or a network. Exit status 1 if there are already 100 filters."""
    network = _network(cidr)
    with exits():
        filters = _filters(stack)
        found = filters.all()
        known = next((one for one in found if _same(one.cidr, network)), None)
        if known is not None and known.allows != allow:
            refuse(f"{network} has the filter {known.name}, which does the opposite: remove it first")
        if known is None:
            from .aws.ip_filters import MOST  # noqa: PLC0415 (boto3 takes half a second)

            if len(found) >= MOST:
                refuse(f"the account has {MOST} filters, SES's limit: remove one, or block a larger network")
            if not dry_run:
                filters.add(network, allow=allow)
    does = "lets mail through" if allow else "refuses all mail"
    _told(network, f"SES {does} from {network}, for every domain of this account in {filters.region}", dry_run, as_json)


@app.command("rm", hidden=True)
@app.command("remove")
def remove(
    cidr: CidrArgument, stack: StackOption = None, dry_run: DryRunOption = False, as_json: JsonOption = False
) -> None:
    """Remove one of this stack's filters. Exit status 1 if it has no filter for this address or network."""
    network = _network(cidr)
    with exits():
        filters = _filters(stack)
        known = [one for one in filters.all() if _same(one.cidr, network)]
        ours = [one for one in known if one.ours]
        if not ours:
            theirs = "".join(f"; {one.name} is not this stack's, and stays" for one in known)
            refuse(f"this stack has no filter for {network}{theirs}")
        for one in ours:
            if not dry_run:
                filters.remove(one)
    _told(network, f"this stack's filter for {network} is removed", dry_run, as_json)


def _told(network: str, says: str, dry_run: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"cidr": network, "done": not dry_run}))
    else:
        printer()(f"dry run: {says}" if dry_run else says, None)


def _filters(stack: str | None) -> "IpFilters":
    """Raises UsageError, Temporary."""
    from .aws.ip_filters import IpFilters  # noqa: PLC0415 (boto3 takes half a second)

    return IpFilters(Stack.find(stack).deployed or os.environ.get("POSTERN_STACK") or "postern")


def _network(typed: str) -> str:
    """The network as SES takes it, without host bits. Ends with status 2 if the text is not a network."""
    try:
        network = ip_network(typed.strip(), strict=False)
    except ValueError as fault:
        usage_error(fault)
    if network.prefixlen < SHORTEST:
        usage_error(f"{network} is larger than a /{SHORTEST}: it would block too many senders")
    return str(network)


def _same(cidr: str, network: str) -> bool:
    """Whether a filter is for this network; SES keeps the spelling that was typed."""
    try:
        return str(ip_network(cidr, strict=False)) == network
    except ValueError:
        return False
