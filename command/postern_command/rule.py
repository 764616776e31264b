"""`postern rule`: header rules, rows of the live sender table."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer
from postern_mail.mail.header_rules import OPERATORS
from postern_mail.mail.keys import scope_key
from postern_mail.mail.rows import FOREIGN, LAST_RULE, Row, is_header_rule, rule_key
from postern_mail.mail.senders import EVERYWHERE
from postern_mail.mail.settings import KEY, BadSettings, Settings
from postern_mail.mail.verdicts import SCREENED, STATUSES

from .options import DryRunOption, JsonOption, NoteOption, ScopeOption, StackOption, WideOption
from .output import listing
from .output.listing import Meaning
from .stack import Stack
from .status import exits, refuse, wrong_use
from .tables.change import Change, named, no_rule
from .tables.editor import Editor, typed_key, with_attributes

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="List and edit header rules on the live tables (docs/tables.md)."
)

_TEXT = f"HOW TEXT: {', '.join(OPERATORS)} (an RE2 pattern) and a text; several of one kind: one is enough."

NumberArgument = Annotated[
    int, typer.Argument(min=1, max=LAST_RULE, help="Rules are asked in the order of their numbers.")
]
Texts = list[str] | None


def _texts(field: str) -> Any:
    return typer.Option(metavar="'HOW TEXT'", help=f"What {field} says. {_TEXT}")


@app.command("ls", hidden=True)
@app.command("list")
def list_(wide: WideOption = False, stack: StackOption = None, as_json: JsonOption = False) -> None:
    """List header rules in their order, with what is wrong with them. With --json one object a line."""
    with exits():
        live = Stack.find(stack)
        meaning = Meaning(live.policy, asked=_asked(Editor(live, dry_run=True, as_json=as_json).settings()))
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
        Texts, typer.Option("--from", metavar="'HOW TEXT'", help="What From says, an address or all of it.")
    ] = None,
    to: Annotated[Texts, _texts("To")] = None,
    list_id: Annotated[Texts, _texts("List-Id")] = None,
    larger_than: Annotated[int | None, typer.Option(min=0, help="The message has more octets.")] = None,
    smaller_than: Annotated[int | None, typer.Option(min=0, help="The message has fewer octets.")] = None,
    verdict: Annotated[
        Texts,
        typer.Option(metavar="NAME=STATUS", help=f"What SES says: {', '.join(SCREENED)} and {', '.join(STATUSES)}."),
    ] = None,
    listed: Annotated[
        bool | None, typer.Option("--listed/--not-listed", help="Whether a DNS list names it, if one was asked.")
    ] = None,
    scope: ScopeOption = EVERYWHERE,
    note: NoteOption = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also if there is such a rule: it becomes this one.")
    ] = False,
    stack: StackOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Add a header rule: what is to be done with mail of which all this holds, and have it asked.

    Exit status 1 if there is such a rule already, or if it would not be valid.
    """
    conditions: dict[str, Any] = {
        "subject": _said("--subject", subject),
        "from": _said("--from", from_),
        "to": _said("--to", to),
        "list_id": _said("--list-id", list_id),
        "larger_than": larger_than,
        "smaller_than": smaller_than,
        "verdicts": dict(_verdict(one) for one in verdict or ()) or None,
        "listed": listed,
    }
    typed = {name: value for name, value in (*conditions.items(), ("note", note)) if value is not None}
    with exits():
        where = Stack.find(stack)
        key = _key(number, where.with_domain(scope))
        editor = Editor(where, dry_run, as_json)
        before = editor.sender_rule(key)
        if before is not None and not replace:
            refuse(f"{named('senders', key)} is there already; --replace changes it")
        kept = {name: value for name, value in (before or {}).items() if name.startswith(FOREIGN)}
        after = {**kept, "sender": key[0], "scope": key[1], "action": action, **typed}
        editor.write(Change("senders", key, before, after), *_asking(editor.settings(), add=number))


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
        key = _key(number, where.with_domain(scope))
        before, scopes = editor.sender_rule(key), editor.where.rows.scopes(key[0])
        if before is None:
            refuse(no_rule(key, scopes))
        gone = _asking(editor.settings(), remove=number) if scopes == [key[1]] else ()
        editor.write(Change("senders", key, before, None), *gone)


def _asked(row: Row | None) -> tuple[int, ...] | None:
    """The numbers that the settings name, None where they cannot be understood."""
    try:
        return Settings.from_row(row).rule_numbers
    except BadSettings:
        return None


def _asking(before: Row | None, *, add: int | None = None, remove: int | None = None) -> Iterable[Change]:
    """What changes in the settings, so that the rules that are there are asked, and no others. Ends with status 1 where
    they cannot be understood, or for one rule too many."""
    known = _asked(before)
    if known is None:
        refuse("the settings cannot be understood: `postern settings list` says why")
    wanted = sorted({*known, *((add,) if add else ())} - {remove})
    if list(known) == wanted:
        return ()
    text = ", ".join(map(str, wanted))
    try:
        Settings.from_row({"header_rules": text})
    except BadSettings as fault:
        refuse(fault)
    after = with_attributes(before or {"address": KEY}, {"header_rules": text or None})
    return (Change("settings", (KEY,), before, after),)


def _key(number: int, scope: str) -> tuple[str, str]:
    """Raises WrongUse for a scope that is neither `*` nor an alias key."""
    return rule_key(number), EVERYWHERE if scope_key(scope) == EVERYWHERE else typed_key(scope)


def _said(option: str, typed: Texts) -> dict[str, list[str]] | None:
    """Conditions as a row has them. Ends with status 2 for what is none."""
    found: dict[str, list[str]] = {}
    for one in typed or ():
        how, _, text = one.partition(" ")
        if how not in OPERATORS or not text:
            wrong_use(f"{option} {one!r}: expected {', '.join(OPERATORS)}, a blank and a text")
        found.setdefault(how, []).append(text)
    return found or None


def _verdict(typed: str) -> tuple[str, str]:
    name, _, status = typed.partition("=")
    if name.lower() not in SCREENED or status.upper() not in STATUSES:
        wrong_use(f"--verdict {typed!r}: expected one of {', '.join(SCREENED)}, =, and one of {', '.join(STATUSES)}")
    return name.lower(), status.upper()
