"""`postern alias`: rows of the live alias table."""

import json
from collections.abc import Collection
from dataclasses import replace
from typing import Annotated, Any

import typer
from postern_mail.mail.address import Address, InvalidAddress, alias_key
from postern_mail.mail.days import moment
from postern_mail.mail.endings import AFTER
from postern_mail.mail.keys import domain_of, in_order, with_domain
from postern_mail.mail.learning import AT, LEARN, LIMIT, NAMES
from postern_mail.mail.rows import Row, is_reserved, texts
from postern_mail.mail.visible import visible
from postern_mail.ports.forward import Tables

from .figures import USED_DAYS, alias_uses
from .options import AfterOption, DryRunOption, JsonOption, LimitOption, NoteOption, StackOption, WideOption
from .output import listing
from .output.difference_text import assignment, plain
from .output.listing import Meaning
from .stack import Stack
from .status import Refused, UsageError, exits, refuse, refuse_any
from .tables.change import Change
from .tables.editor import Editor, typed_key, with_attributes
from .times import typed_time

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="List and edit aliases on the live tables.")

AddressArgument = Annotated[str, typer.Argument(help="info@example.com, info+news@example.com or @example.com.")]
ExpiresOption = Annotated[
    str | None, typer.Option(metavar="TIME", help="A date (2027-01-31 means 00:00 UTC), a time, or epoch seconds.")
]
KeepTagOption = Annotated[
    bool | None, typer.Option("--keep-tag/--no-keep-tag", help="Deliver info+x to jane+x, or to jane.")
]
ReplyOption = Annotated[
    str | None, typer.Option(metavar="author|off", help="Put a reply address for the author on forwards, or not.")
]
AlsoFromOption = Annotated[
    list[str] | None,
    typer.Option("--also-from", help="Another address that may send replies; may be repeated; '' for none."),
]
NameOption = Annotated[str | None, typer.Option(help="The display name that replies carry.")]
EndsOption = Annotated[
    str | None,
    typer.Option(
        "--expires-after", metavar="USE", help='"20 messages", "90 days" (without use), or both with a comma.'
    ),
]
LearnOption = Annotated[
    bool | None,
    typer.Option("--learn/--no-learn", help="For @domain: add an alias for each name with its first message."),
]
LearnNamesOption = Annotated[str | None, typer.Option(metavar="RE2", help="For @domain: learn only names that match.")]
LearnLimitOption = Annotated[int | None, typer.Option(metavar="N", help="For @domain: learn at most N names a day.")]


@app.command("ls", hidden=True)
@app.command("list")
def list_(
    text: Annotated[str, typer.Argument(help="Only if address, destinations, note or made_by contain this.")] = "",
    domain: Annotated[str | None, typer.Option(help="Only this domain.")] = None,
    destination: Annotated[str | None, typer.Option(help="Only if a destination contains this.")] = None,
    disabled: Annotated[bool, typer.Option("--disabled", help="Only disabled aliases.")] = False,
    expired: Annotated[bool, typer.Option("--expired", help="Only expired aliases; with --disabled, both.")] = False,
    learned: Annotated[bool, typer.Option("--learned", help="Only aliases that a catch-all learned.")] = False,
    with_use: Annotated[
        bool, typer.Option("--used", help=f"Add how often each was used in {USED_DAYS} days, and when last (UTC).")
    ] = False,
    limit: LimitOption = None,
    after: AfterOption = None,
    wide: WideOption = False,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """List aliases by domain and name, and say what is wrong with any.

    Mail that is not rejected counts as use. With --json, one object per line: the row, `state` (enabled, disabled,
    expired, fault) and `fault`; `taken`, the messages so far, for an alias that ends after a number of messages; with
    --used also `count` and `last_used`.
    """
    states = [word for word, asked in (("disabled", disabled), ("expired", expired)) if asked]

    def wanted(row: Row) -> bool:
        leads_to = " ".join(listing.destinations(row)).lower()
        return (
            text.lower() in f"{row['address']} {leads_to} {row.get('note') or ''} {row.get('made_by') or ''}".lower()
            and (domain is None or domain_of(row["address"]) == domain_of(alias_key(f"@{domain}")))
            and (destination is None or destination.lower() in leads_to)
            and (not states or meaning.state(row) in states)
            and (not learned or row.get(AT) is not None)
        )

    with exits():
        place = in_order(alias_key(after)) if after else None
        live = Stack.find(stack)
        meaning = Meaning(live.policy)
        rows = filter(wanted, live.rows.scan("aliases"))
        found, more = listing.page(rows, lambda row: in_order(row["address"]), place, limit)
        uses = alias_uses(live.summaries) if with_use else None
        meaning = with_counts(meaning, live, found)
    if as_json:
        listing.print_objects(meaning.alias_object(row, uses) for row in found)
    else:
        meaning.print_aliases(found, wide=wide, used=uses)
    if more:
        listing.hint(found[-1]["address"])


@app.command()
def show(address: AddressArgument, stack: StackOption = None, as_json: JsonOption = False) -> None:
    """Show one alias: its row, its state, and who last changed it. Exit status 1 if it does not exist."""
    with exits():
        live = Stack.find(stack)
        key, row = _found(Editor(live, dry_run=True, as_json=as_json), address)
        meaning = with_counts(Meaning(live.policy), live, [row])
    if as_json:
        typer.echo(json.dumps(meaning.alias_object(row)))
        return
    typer.echo(f"alias {visible(key)}")
    for name, value in plain(row, "address", "updated_at", "updated_by").items():
        for line in assignment(name, value).splitlines():
            typer.echo(f"  {visible(line)}")
    alias, fault = meaning.alias(row)
    typer.echo(visible(fault or meaning.state(row)))
    if alias is not None and (count := meaning.count(row, alias)):
        typer.echo(f"ends after {alias.ending}{count}")
    if row.get("updated_at") is not None:
        typer.echo(f"updated {moment(row['updated_at'])} by {visible(str(row.get('updated_by')))}")


def with_counts(meaning: Meaning, where: Stack, rows: Collection[Row]) -> Meaning:
    """Adds the message counts of those aliases that end after a number of messages; no call if none does. Raises
    Temporary."""
    counted = meaning.counted(rows)
    return replace(meaning, taken=where.ledger.taken_by(counted)) if counted else meaning


@app.command()
def add(
    address: AddressArgument,
    destinations: Annotated[list[str], typer.Argument(help="Mailboxes, @other.example, or discard:")],
    expires: ExpiresOption = None,
    keep_tag: KeepTagOption = None,
    reply: ReplyOption = None,
    also_from: AlsoFromOption = None,
    name: NameOption = None,
    expires_after: EndsOption = None,
    learn: LearnOption = None,
    learn_names: LearnNamesOption = None,
    learn_limit: LearnLimitOption = None,
    note: NoteOption = None,
    stack: StackOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Add an alias. Exit status 1 if it already exists or would not be valid."""
    with exits():
        live = Stack.find(stack)
        made = new_alias(
            live.tables,
            live.domains,
            address,
            destinations,
            attributes(expires, keep_tag, note)
            | _of_replies(reply, also_from, name)
            | _of_learning(learn, learn_names, learn_limit)
            | _of_ending(expires_after),
        )
        Editor(live, dry_run, as_json).write(made)


@app.command("set")
def set_(
    address: AddressArgument,
    destinations: Annotated[list[str] | None, typer.Argument(help="Replace its destinations.")] = None,
    also: Annotated[list[str] | None, typer.Option("--add", help="Add a destination; may be repeated.")] = None,
    no_longer: Annotated[
        list[str] | None, typer.Option("--drop", help="Remove a destination; may be repeated.")
    ] = None,
    expires: ExpiresOption = None,
    no_expires: Annotated[bool, typer.Option("--no-expires", help="Remove its expiry, by time and by use.")] = False,
    keep_tag: KeepTagOption = None,
    reply: ReplyOption = None,
    also_from: AlsoFromOption = None,
    name: NameOption = None,
    expires_after: EndsOption = None,
    learn: LearnOption = None,
    learn_names: LearnNamesOption = None,
    learn_limit: LearnLimitOption = None,
    note: NoteOption = None,
    unset: Annotated[list[str] | None, typer.Option(help="Remove an attribute, even a misspelt one.")] = None,
    stack: StackOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Change an alias; what you do not name stays. --note "" removes the note.

    Exit status 1 if it does not exist, or if someone else changed it meanwhile.
    """
    with exits():
        changed = dict.fromkeys(unset or ()) | attributes(expires, keep_tag, note) | _of_replies(reply, also_from, name)
        changed |= _of_learning(learn, learn_names, learn_limit) | _of_ending(expires_after)
        changed |= dict.fromkeys(("expires_at", AFTER)) if no_expires else {}
        if not (destinations or also or no_longer or changed):
            raise UsageError("nothing to set; see postern alias set --help")
        if (destinations and (also or no_longer)) or (expires and no_expires):
            raise UsageError("destinations exclude --add and --drop, and --expires excludes --no-expires")
        editor = Editor(Stack.find(stack), dry_run, as_json)
        _edit(address, changed, editor, (destinations, also or [], no_longer or []))


@app.command("rm", hidden=True)
@app.command()
def remove(
    address: AddressArgument, stack: StackOption = None, dry_run: DryRunOption = False, as_json: JsonOption = False
) -> None:
    """Remove an alias. Its mail then goes to a less specific one, such as a catch-all; `disable` rejects it.

    Exit status 1 if it does not exist.
    """
    with exits():
        editor = Editor(Stack.find(stack), dry_run, as_json)
        key, row = _found(editor, address, advise=False)
        editor.write(Change("aliases", (key,), row, None))


@app.command()
def enable(
    address: AddressArgument, stack: StackOption = None, dry_run: DryRunOption = False, as_json: JsonOption = False
) -> None:
    """Enable an alias again. Exit status 1 if it does not exist."""
    with exits():
        _edit(address, {"enabled": None}, Editor(Stack.find(stack), dry_run, as_json))


@app.command()
def disable(
    address: AddressArgument, stack: StackOption = None, dry_run: DryRunOption = False, as_json: JsonOption = False
) -> None:
    """Reject an alias's mail, even if the domain has a catch-all. Exit status 1 if it does not exist."""
    with exits():
        _edit(address, {"enabled": False}, Editor(Stack.find(stack), dry_run, as_json))


def new_alias(tables: Tables, domains: Collection[str], address: str, destinations: list[str], more: Row) -> Change:
    """The change that adds an alias with these attributes. Raises Refused if it exists, UsageError, Temporary."""
    key = typed_key(with_domain(address, domains))
    if tables.read([key], ()).aliases[key] is not None:
        raise Refused(f"alias {key} already exists; `postern alias set` changes it")
    return Change("aliases", (key,), None, with_attributes({"address": key, "destinations": destinations}, more))


def attributes(expires: str | None, keep_tag: bool | None, note: str | None) -> dict[str, Any]:
    """The attributes to write; None removes one, since a default is not written."""
    typed: dict[str, Any] = {}
    if expires is not None:
        typed["expires_at"] = typed_time(expires)
    if keep_tag is not None:
        typed["keep_tag"] = keep_tag or None
    if note is not None:
        typed["note"] = note or None
    return typed


def _of_ending(typed: str | None) -> dict[str, Any]:
    """The attribute to write; None removes it."""
    return {} if typed is None else {AFTER: typed or None}


def _of_learning(learn: bool | None, names: str | None, limit: int | None) -> dict[str, Any]:
    """The attributes to write; None removes one."""
    typed: dict[str, Any] = {} if learn is None else {LEARN: learn or None}
    typed |= {} if names is None else {NAMES: names or None}
    return typed | ({} if limit is None else {LIMIT: limit})


def _of_replies(reply: str | None, also_from: list[str] | None, name: str | None) -> dict[str, Any]:
    """The attributes about replies to write; None removes one."""
    typed: dict[str, Any] = {}
    if reply is not None:
        typed["reply"] = reply or None
    if also_from is not None:
        typed["also_from"] = [one for one in also_from if one] or None
    if name is not None:
        typed["name"] = name or None
    return typed


def _edit(
    address: str,
    changed: dict[str, Any],
    editor: Editor,
    lists: tuple[list[str] | None, list[str], list[str]] = (None, [], []),
) -> None:
    key, before = _found(editor, address)
    replaced, also, no_longer = lists
    if replaced:
        changed = {**changed, "destinations": replaced}
    elif also or no_longer:
        changed = {**changed, "destinations": _members(key, before, also, no_longer)}
    editor.write(Change("aliases", (key,), before, with_attributes(before, changed)))


def _members(key: str, row: Row, also: list[str], no_longer: list[str]) -> list[str]:
    """The destinations after the additions and removals; ends with status 1 if one to remove is not there."""
    try:
        listed = texts(row.get("destinations") or ())
    except ValueError as fault:
        refuse(f"alias {key}: {fault}; give all destinations")
    here = {_same(one) for one in listed}
    refuse_any(f"{one} is not a destination of alias {key}" for one in no_longer if _same(one) not in here)
    gone = {_same(one) for one in no_longer}
    return [one for one in listed if _same(one) not in gone] + [one for one in also if _same(one) not in here - gone]


def _same(destination: str) -> str:
    try:
        return Address.parse(destination).key
    except InvalidAddress:
        return alias_key(destination)


def _found(editor: Editor, address: str, *, advise: bool = True) -> tuple[str, Row]:
    """The key and row of an alias, even if its key is spelled in a way that no look-up asks for."""
    if not address.strip():
        raise UsageError("an empty address")
    spelled = alias_key(with_domain(address, editor.where.domains))
    if is_reserved(spelled):
        typed_key(spelled)
    for key in (spelled, address):
        row = editor.alias(key)
        if row is not None:
            break
    else:
        refuse(f"there is no alias {spelled}{'; `postern alias add` adds it' if advise else ''}")
    return key, row
