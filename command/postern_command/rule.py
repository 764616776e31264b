"""`postern rule`: header rules, rows of the live sender table."""

from typing import Annotated, Any

import typer
from postern_mail.mail.header_rules import OPERATORS
from postern_mail.mail.rows import FOREIGN, LAST_RULE, is_header_rule
from postern_mail.mail.senders import EVERYWHERE
from postern_mail.mail.verdicts import SCREENED, STATUSES

from .options import DryRunOption, JsonOption, NoteOption, ScopeOption, StackOption, WideOption
from .output import listing
from .output.listing import Meaning
from .rule_changes import asked, asking, asking_moved, conditions, key_of, moved, verdicts
from .stack import Stack
from .status import exits, refuse
from .tables.change import Change, named, no_rule
from .tables.editor import Editor

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="List and edit header rules on the live tables (docs/tables.md)."
)

_TEXT = f"HOW is {', '.join(OPERATORS)}; matches takes an RE2 pattern. Of several texts for one HOW, any may match."

NumberArgument = Annotated[int, typer.Argument(min=1, max=LAST_RULE, help="Rules apply in the order of their numbers.")]
Texts = list[str] | None


def _texts(field: str) -> Any:
    return typer.Option(metavar="'HOW TEXT'", help=f"What {field} says. {_TEXT}")


@app.command("ls", hidden=True)
@app.command("list")
def list_(wide: WideOption = False, stack: StackOption = None, as_json: JsonOption = False) -> None:
    """List header rules in order, and say what is wrong with any. With --json, one object per line."""
    with exits():
        live = Stack.find(stack)
        meaning = Meaning(live.policy, asked=asked(Editor(live, dry_run=True, as_json=as_json).settings()))
        rows = [row for row in live.rows.scan("senders") if is_header_rule(row["sender"])]
    rows.sort(key=lambda row: (row["sender"], row["scope"]))
    if as_json:
        listing.print_objects(map(meaning.sender_object, rows))
    else:
        meaning.print_rules(rows, wide=wide)


@app.command()
def add(
    number: NumberArgument,
    action: Annotated[str, typer.Argument(help='Action and text: TAG "[bulk]", HOLD, "REJECT no thanks", DISCARD.')],
    subject: Annotated[Texts, _texts("Subject")] = None,
    from_: Annotated[
        Texts, typer.Option("--from", metavar="'HOW TEXT'", help="What From says: an address, or the whole field.")
    ] = None,
    to: Annotated[Texts, _texts("To")] = None,
    cc: Annotated[Texts, _texts("Cc")] = None,
    list_id: Annotated[Texts, _texts("List-Id")] = None,
    larger_than: Annotated[int | None, typer.Option(min=0, help="Messages with more bytes than this.")] = None,
    smaller_than: Annotated[int | None, typer.Option(min=0, help="Messages with fewer bytes than this.")] = None,
    verdict: Annotated[
        Texts,
        typer.Option(metavar="NAME=STATUS", help=f"SES's verdict: {', '.join(SCREENED)}; {', '.join(STATUSES)}."),
    ] = None,
    listed: Annotated[
        bool | None, typer.Option("--listed/--not-listed", help="Whether a DNS list has the client, if any was asked.")
    ] = None,
    scope: ScopeOption = EVERYWHERE,
    note: NoteOption = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the rule of this number and scope.")] = False,
    stack: StackOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Add a header rule, and turn it on: what to do with mail that meets all the conditions.

    Exit status 1 if the rule already exists or would not be valid.
    """
    with exits():
        known: dict[str, Any] = {
            "subject": conditions("--subject", subject or ()),
            "from": conditions("--from", from_ or ()),
            "to": conditions("--to", to or ()),
            "cc": conditions("--cc", cc or ()),
            "list_id": conditions("--list-id", list_id or ()),
            "larger_than": larger_than,
            "smaller_than": smaller_than,
            "verdicts": verdicts(verdict or ()),
            "listed": listed,
        }
        typed = {name: value for name, value in (*known.items(), ("note", note)) if value is not None}
        where = Stack.find(stack)
        key = key_of(number, where.with_domain(scope))
        editor = Editor(where, dry_run, as_json)
        before = editor.sender_rule(key)
        if before is not None and not replace:
            refuse(f"{named('senders', key)} already exists; --replace changes it")
        kept = {name: value for name, value in (before or {}).items() if name.startswith(FOREIGN)}
        after = {**kept, "sender": key[0], "scope": key[1], "action": action, **typed}
        editor.write(Change("senders", key, before, after), *asking(editor.settings(), add=number))


@app.command()
def move(
    number: NumberArgument,
    to: Annotated[int, typer.Argument(min=1, max=LAST_RULE, help="Its new number.")],
    scope: ScopeOption = EVERYWHERE,
    stack: StackOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Give a header rule another number, and so another place in the order.

    Exit status 1 if it does not exist, or if the new number is taken.
    """
    with exits():
        where = Stack.find(stack)
        editor, scope = Editor(where, dry_run, as_json), where.with_domain(scope)
        old, new = key_of(number, scope), key_of(to, scope)
        before, scopes = editor.sender_rule(old), editor.where.rows.scopes(old[0])
        if before is None:
            refuse(no_rule(old, scopes))
        there = before if old == new else editor.sender_rule(new)
        added, gone = moved(before, there, new)
        editor.write(added, gone, *asking_moved(editor.settings(), number, to, last=scopes == [old[1]]))


@app.command("rm", hidden=True)
@app.command()
def remove(
    number: NumberArgument,
    scope: ScopeOption = EVERYWHERE,
    stack: StackOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Remove a header rule. Exit status 1 if it does not exist."""
    with exits():
        where = Stack.find(stack)
        editor = Editor(where, dry_run, as_json)
        key = key_of(number, where.with_domain(scope))
        before, scopes = editor.sender_rule(key), editor.where.rows.scopes(key[0])
        if before is None:
            refuse(no_rule(key, scopes))
        gone = asking(editor.settings(), remove=number) if scopes == [key[1]] else ()
        editor.write(Change("senders", key, before, None), *gone)
