"""`postern token`: API tokens that let a password manager create aliases."""

import json
import secrets
import time
from typing import Annotated, Any

import typer
from postern_mail.mail.address import alias_key
from postern_mail.mail.days import moment
from postern_mail.mail.keys import domain_of
from postern_mail.mail.token import DAILY, MOST_DAILY, Token, is_name, key_of, new_token

from .options import DryRunOption, JsonOption, StackOption, WideOption
from .output.columns import Column, Columns
from .output.terminal import printer
from .stack import Stack
from .status import UsageError, exits, refuse, refuse_any, warn
from .tables.checks import alias_faults, leads

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Tokens that let a password manager create aliases.",
)

NameArgument = Annotated[str, typer.Argument(help="Your name for it, such as the device: phone.")]
_COLUMNS = (Column(16), Column(20, 1), Column(26, 1), Column(20))
_PROBE = "postern-any-address"  # stands for any alias it creates


@app.command("ls", hidden=True)
@app.command("list")
def list_(wide: WideOption = False, stack: StackOption = None, as_json: JsonOption = False) -> None:
    """List the tokens by name; the secret itself is never shown again. With --json, one object per line."""
    with exits():
        found = sorted(Stack.find(stack).tokens.all(), key=lambda one: one.name)
    say, columns = printer(), Columns(_COLUMNS, wide=wide)
    if not found and not as_json:
        typer.echo("nothing to list", err=True)
    for one in found:
        if as_json:
            typer.echo(json.dumps(_object(one)))
        else:
            more = f"{one.daily} a day, since {moment(one.created_at)}"
            say(columns.line([one.name, one.domain, ", ".join(one.destinations), more]), None)


@app.command()
def add(
    name: NameArgument,
    to: Annotated[
        list[str], typer.Option("--to", metavar="ADDRESS", help="The destination of its aliases; may be repeated.")
    ],
    domain: Annotated[str | None, typer.Option(help="The domain of its aliases; else the only one.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST_DAILY, help="The most aliases it creates in a day.")] = DAILY,
    stack: StackOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Create a token, and print it once: only its hash is kept.

    Exit status 1 if the name is taken, or if its aliases would not be valid.
    """
    with exits():
        live = Stack.find(stack)
        text = new_token(secrets.choice)
        token = _token(name, domain, to, limit, text, live)
        if any(one.name == name for one in live.tokens.all()):
            refuse(f"token {name} already exists; `postern token remove` revokes it")
        if not dry_run:
            live.tokens.add(token)
    url = (live.get("alias_api_url") or "").rstrip("/")
    if as_json:
        shown = {} if dry_run else {"token": text}
        typer.echo(json.dumps({**_object(token), **shown, "url": url or None, "written": not dry_run}))
        return
    if dry_run:
        typer.echo(f"token {name} would be created")
        return
    typer.echo(text)
    server = f"the server is {url}" if url else "no server accepts it yet: deploy with AliasApi true"
    typer.echo(f"This is token {name}, shown only once; {server}", err=True)


@app.command("rm", hidden=True)
@app.command()
def remove(
    name: NameArgument, stack: StackOption = None, dry_run: DryRunOption = False, as_json: JsonOption = False
) -> None:
    """Revoke a token. The aliases that it created stay. Exit status 1 if it does not exist."""
    with exits():
        live = Stack.find(stack)
        found = [one for one in live.tokens.all() if one.name == name]
        if not found:
            refuse(f"there is no token {name}")
        for one in found:
            if not dry_run:
                live.tokens.remove(one)
    if as_json:
        typer.echo(json.dumps({"name": name, "written": not dry_run}))
    else:
        typer.echo(f"token {name} {'would be' if dry_run else 'is'} removed; the aliases that it created stay")


def _token(name: str, domain: str | None, to: list[str], limit: int, text: str, live: Stack) -> Token:
    """The token to add; ends with status 1 if its aliases would not be valid. Raises UsageError, Temporary."""
    if not is_name(name):
        raise UsageError(f"{name!r}: a name is up to 40 letters, digits, spaces, dots, - and _")
    if domain is None and len(live.domains) > 1:
        raise UsageError(f"which domain? Give --domain, one of {', '.join(sorted(live.domains))}")
    chosen = domain_of(alias_key(f"@{(domain or next(iter(live.domains))).strip()}"))
    row = {"destinations": to}
    key = f"{_PROBE}@{chosen}"
    found = leads(key, row, live.tables, live.domains, time.time())
    warn(found.warnings)
    refuse_any([*alias_faults(key, row, live.domains), *found.faults])
    return Token(str(key_of(text)), name, chosen, tuple(to), limit, int(time.time()))


def _object(token: Token) -> dict[str, Any]:
    """A token for --json, without its hash."""
    return {name: value for name, value in token.row().items() if name != "address"}
