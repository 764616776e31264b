"""`postern contact`: the reply addresses through which the people behind an alias write in its name."""

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
from .status import UsageError, exits, refuse, warn

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Add, list and remove reply addresses.")

AliasArgument = Annotated[str, typer.Argument(help="info@example.com")]
CorrespondentArgument = Annotated[str, typer.Argument(help="betsy@sender.example")]


@app.command()
def add(
    alias: AliasArgument,
    correspondent: CorrespondentArgument,
    name: Annotated[str, typer.Option(help="The correspondent's display name, for To.")] = "",
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the reply address for a correspondent: write to it, and they get mail from the alias.

    It is the same each time, until you remove it. Exit status 1 if the alias forwards nothing or takes no replies.
    """
    with exits():
        live = Stack.find(stack)
        of, to = _typed(live, alias), _address(correspondent)
        settings = Settings.from_row(live.tables.read([KEY], ()).aliases[KEY])
        of = _replying(live, of, settings)
        found = live.contacts.contact_for(of, Author(name, to), ())
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
    """List correspondents and their reply addresses. With --json, one object per line."""
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
    """Revoke the reply address for a correspondent. Their next message gets a new one.

    Exit status 1 if there is no such address, or it is already revoked.
    """
    with exits():
        live = Stack.find(stack)
        of, to, contacts = _typed(live, alias), _address(correspondent), live.contacts
        mine = [one for one in contacts.all() if (one.alias.key, one.address.key) == (of.key, to.key)]
        revoked = [contacts.revoke(one) for one in mine if not one.is_revoked]
        if not any(revoked):
            refuse(f"{of} has no reply address for {to}")
    typer.echo(f"removed: mail to it is quarantined from now on, and the people behind {of} are told why")


def _replying(live: Stack, of: Address, settings: Settings) -> Address:
    """The alias whose row answers for an address; ends with status 1 if it does not take replies."""
    rows, now = Rows(), time.time()
    follow(live.tables, [of], rows, live.domains, now)
    found = resolve(of, rows, live.domains, now)
    if found.alias is None or not found.destinations:
        refuse(f"{of} leads nowhere: {found.detail or found.outcome}")
    own = found.first.reply if found.first else ""
    if (own or settings.reply) == REPLIES[0]:
        refuse(f"alias {found.alias} takes no replies; `postern alias set {found.alias} --reply author` turns them on")
    if found.alias.key != of.key:
        warn([f"mail for {of} goes by alias {found.alias}, so the address is made for that"])
    return found.alias


def _typed(live: Stack, text: str) -> Address:
    return _address(live.with_domain(text))


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except InvalidAddress as fault:
        raise UsageError(str(fault)) from fault


def _object(one: Contact, address: str) -> dict[str, Any]:
    return {
        "alias": str(one.alias), "correspondent": str(one.address), "name": one.name, "address": address,
        "used_at": int(one.used_at), "expires_at": int(one.expires_at), "revoked": one.is_revoked,
    }  # fmt: skip
