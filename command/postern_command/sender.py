"""`postern sender`: rows of the live sender table."""

from typing import Annotated

import typer
from postern_mail.mail.keys import scope_key, sender_key
from postern_mail.mail.rows import BOOKKEEPING, FOREIGN, Row, is_header_rule
from postern_mail.mail.senders import EVERYWHERE
from postern_mail.ports.forward import Tables

from .options import (
    AfterOption,
    DryRunOption,
    JsonOption,
    LimitOption,
    NoteOption,
    ScopeOption,
    StackOption,
    WideOption,
)
from .output import listing
from .output.listing import Meaning
from .stack import Stack
from .status import Refused, UsageError, exits, refuse
from .tables.change import Change, named, no_rule
from .tables.editor import Editor, typed_key

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="List and edit sender rules on the live tables.")

_KEPT = ("note", *BOOKKEEPING)  # attributes of a replaced rule that stay; not made_by: the rule is the owner's now

SenderArgument = Annotated[str, typer.Argument(help="As in access(5): user@domain, domain, user@ or <>.")]


@app.command("ls", hidden=True)
@app.command("list")
def list_(
    text: Annotated[str, typer.Argument(help="Only if sender, action or note contain this.")] = "",
    scope: Annotated[
        str | None, typer.Option(metavar="ALIAS", help="Only rules for this alias; * for those that apply to all.")
    ] = None,
    limit: LimitOption = None,
    after: AfterOption = None,
    wide: WideOption = False,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """List sender rules by scope and sender, and say what is wrong with any. With --json, one object per line."""

    def wanted(row: Row) -> bool:
        return text.lower() in f"{row['sender']} {listing.action(row)} {row.get('note') or ''}".lower() and (
            scope is None or row["scope"] == scope_key(live.with_domain(scope))
        )

    with exits():
        live = Stack.find(stack)
        meaning = Meaning(live.policy)
        rows = (row for row in live.rows.scan("senders") if not is_header_rule(row["sender"]) and wanted(row))
        found, more = listing.page(rows, lambda row: (row["scope"], row["sender"]), _place(after), limit)
    if as_json:
        listing.print_objects(map(meaning.sender_object, found))
    else:
        meaning.print_senders(found, wide=wide)
    if more:
        listing.hint(f"{found[-1]['sender']} {found[-1]['scope']}")


@app.command()
def add(
    sender: SenderArgument,
    action: Annotated[str, typer.Argument(help='Action and text: OK, DUNNO, "REJECT no thanks", DISCARD.')],
    scope: ScopeOption = EVERYWHERE,
    note: NoteOption = None,
    replace: Annotated[bool, typer.Option("--replace", help="Change the action of an existing rule.")] = False,
    stack: StackOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Add a sender rule. Exit status 1 if it already exists or would not be valid."""
    with exits():
        where = Stack.find(stack)
        made = new_rule(where.tables, rule_key(sender, where.with_domain(scope)), action, note, replace=replace)
        Editor(where, dry_run, as_json).write(made)


@app.command("rm", hidden=True)
@app.command()
def remove(
    sender: SenderArgument,
    scope: ScopeOption = EVERYWHERE,
    stack: StackOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Remove a sender rule. Exit status 1 if it does not exist."""
    with exits():
        where = Stack.find(stack)
        editor = Editor(where, dry_run, as_json)
        keys = (
            rule_key(sender, where.with_domain(scope)),
            (sender, scope),
        )  # the second as it may have been typed in the console
        found = ((key, editor.sender_rule(key)) for key in keys)
        key, before = next(((key, row) for key, row in found if row is not None), (keys[0], None))
        if before is None:
            refuse(no_rule(key, editor.where.rows.scopes(key[0])))
        editor.write(Change("senders", key, before, None))


def new_rule(tables: Tables, key: tuple[str, str], action: str, note: str | None, *, replace: bool = False) -> Change:
    """The change that adds a rule. Raises Refused if it exists and `replace` is not set, Temporary."""
    before = tables.read((), [key]).senders[key]
    if before is not None and not replace:
        raise Refused(f"{named('senders', key)} already exists; --replace changes it")
    kept = {name: value for name, value in (before or {}).items() if name in _KEPT or name.startswith(FOREIGN)}
    typed = {"sender": key[0], "scope": key[1], "action": action, **({"note": note} if note else {})}
    return Change("senders", key, before, {**kept, **typed})


def rule_key(sender: str, scope: str) -> tuple[str, str]:
    """The key of a rule as it is looked up. Raises UsageError for an empty sender, and for a scope that is neither an
    alias key nor `*`."""
    if not sender.strip():
        raise UsageError("an empty sender; the null sender is <>")
    if is_header_rule(sender):
        raise UsageError(f"{sender} is a header rule: use postern rule")
    return sender_key(sender), EVERYWHERE if scope == EVERYWHERE else typed_key(scope)


def _place(after: str | None) -> tuple[str, str] | None:
    """The key after which a page starts, from `SENDER SCOPE` as the last page printed it."""
    if not after:
        return None
    sender, _, scope = after.partition(" ")
    return scope_key(scope or EVERYWHERE), sender_key(sender)
