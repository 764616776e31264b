"""`postern contact`: the reply addresses of correspondents, by which the people of an alias write in its name."""

import json
import time
from typing import Annotated, Any

import typer
from postern_mail.lookup import follow
from postern_mail.mail.address import Address, InvalidAddress
from postern_mail.mail.alias_attributes import REPLIES
from postern_mail.mail.aliases import resolve
from postern_mail.mail.authors import Author
from postern_mail.mail.days import moment
from postern_mail.mail.replying.contact import Contact
from postern_mail.mail.rows import Rows
from postern_mail.mail.settings import KEY, Settings
from postern_mail.mail.visible import visible

from .options import JsonOption, StackOption
from .stack import Stack
from .status import WrongUse, exits, refuse, warn

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Reply addresses: add, list and remove them.")

AliasArgument = Annotated[str, typer.Argument(help="info@example.com")]
CorrespondentArgument = Annotated[str, typer.Argument(help="betsy@sender.example")]


@app.command()
def add(
    alias: AliasArgument,
    correspondent: CorrespondentArgument,
    name: Annotated[str, typer.Option(help="The correspondent's, as To shows it.")] = "",
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the address to write to, so that a correspondent gets mail from the alias.

    The same one each time, until it is removed. Exit status 1 if the alias forwards nothing or takes no replies.
    """
    with exits():
        live = Stack.find(stack)
        of, to = _typed(live, alias), _address(correspondent)
        settings = Settings.from_row(live.tables.read([KEY], ()).aliases[KEY])
        of = _replying(live, of, settings)
        found = live.contacts.met(of, Author(name, to), ())
        address = live.contacts.address(found, settings.reply_local_part)
    if as_json:
        typer.echo(json.dumps(_object(found, str(address))))
    else:
        typer.echo(str(address))


@app.command("ls", hidden=True)
@app.command("list")
def list_(
    alias: Annotated[str, typer.Argument(help="Only of this alias.")] = "",
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """List who can be written to, and by which address; with --json one object a line."""
    with exits():
        live = Stack.find(stack)
        wanted = _typed(live, alias).key if alias else ""
        settings = Settings.from_row(live.tables.read([KEY], ()).aliases[KEY])
        contacts = live.contacts
        rows = sorted(
            (one.alias.key, one.address.key, str(contacts.address(one, settings.reply_local_part)), one)
            for one in contacts.all()
            if not wanted or one.alias.key == wanted
        )
    now = time.time()
    for *_, address, one in rows:
        if as_json:
            typer.echo(json.dumps(_object(one, address)))
        else:
            ends = one.fault(now) and ("revoked" if one.is_revoked else "expired")
            said = ends or f"last used {moment(one.used_at)}"
            typer.echo(visible(f"{one.alias}  {one.address}  {address}  {said}"))
    if not rows and not as_json:
        typer.echo("nothing to list", err=True)


@app.command("rm", hidden=True)
@app.command()
def remove(alias: AliasArgument, correspondent: CorrespondentArgument, stack: StackOption = None) -> None:
    """Revoke the reply address for a correspondent. The next message from there makes another.

    Exit status 1 if no such address is in force.
    """
    with exits():
        live = Stack.find(stack)
        of, to, contacts = _typed(live, alias), _address(correspondent), live.contacts
        mine = [one for one in contacts.all() if (one.alias.key, one.address.key) == (of.key, to.key)]
        revoked = [contacts.revoke(one) for one in mine if not one.is_revoked]
        if not any(revoked):
            refuse(f"{of} has no reply address for {to}")
    typer.echo(f"removed: what is written to it is quarantined from now on, and {of}'s people hear why")


def _replying(live: Stack, of: Address, settings: Settings) -> Address:
    """The alias whose row answers for an address; ends with status 1 if nobody could write by it."""
    rows, now = Rows(), time.time()
    follow(live.tables, [of], rows, live.domains, now)
    found = resolve(of, rows, live.domains, now)
    if found.alias is None or not found.destinations:
        refuse(f"{of} leads nowhere: {found.detail or found.outcome}")
    own = found.first.reply if found.first else ""
    if (own or settings.reply) == REPLIES[0]:
        refuse(f"alias {found.alias} takes no replies; `postern alias set {found.alias} --reply author` turns them on")
    if found.alias.key != of.key:
        warn([f"{of} is answered for by {found.alias}"])
    return found.alias


def _typed(live: Stack, text: str) -> Address:
    return _address(live.with_domain(text))


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except InvalidAddress as fault:
        raise WrongUse(str(fault)) from fault


def _object(one: Contact, address: str) -> dict[str, Any]:
    return {
        "alias": str(one.alias), "correspondent": str(one.address), "name": one.name, "address": address,
        "used_at": int(one.used_at), "expires_at": int(one.expires_at), "revoked": one.is_revoked,
    }  # fmt: skip
