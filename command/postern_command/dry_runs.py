"""`postern resolve` and `postern screen`: what an address stands for, and what the rules say of a sender."""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated, Any

import typer
from postern_mail.forward import follow
from postern_mail.mail import aliases
from postern_mail.mail.actions import BCC, DUNNO, HOLD, INFO, PREPEND, REDIRECT, WARN
from postern_mail.mail.address import Address, InvalidAddress
from postern_mail.mail.authors import authors
from postern_mail.mail.envelope import Envelope
from postern_mail.mail.rows import BadRow, Rows
from postern_mail.mail.senders import EVERYWHERE, Ruling, SenderRule, Senders, judge
from postern_mail.mail.verdicts import Verdicts

from .keys import scope_key
from .live import Source, source
from .options import JsonOption, ParentStyleOption, StackOption, TablesOption
from .status import NO, exits
from .terminal import escaped

STANDARD_INPUT = "-"
_BATCH = 100  # addresses looked up together: of each level one BatchGetItem or a few, side by side
_RESOLVED = ("forward", "discard")
# Which rule is shown where several hold: the one that counts before the others.
_PRECEDENCE = (HOLD, REDIRECT, BCC, PREPEND, WARN, INFO, DUNNO)


def resolve(
    addresses: Annotated[list[str], typer.Argument(help="Addresses; - reads more from standard input, one a line.")],
    tables: TablesOption = None,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print where mail for each address goes, by a tables file or by the live tables.

    With --json one object a line: address, outcome (forward, unknown, disabled, expired, discard or
    error), destinations, matched keys in their order, error. Exit status 0 when every address
    resolves, 1 when some do not.
    """
    done = True
    with exits():
        for resolved in resolutions(source(stack, tables), _listed(addresses)):
            typer.echo(json.dumps(resolved) if as_json else escaped(_resolved(resolved)))
            done = done and resolved["outcome"] in _RESOLVED
    raise typer.Exit(0 if done else NO)


def screen(
    senders: Annotated[
        list[str], typer.Argument(help="MAIL FROM addresses, <> for none; - reads more from standard input.")
    ],
    alias: Annotated[
        str | None, typer.Option(help="An address of ours, or the key of its row: rules in its scope come first.")
    ] = None,
    header_from: Annotated[
        str | None, typer.Option(metavar="H", help="What From says; it counts where MAIL FROM has no rule.")
    ] = None,
    dmarc: Annotated[
        str, typer.Option(metavar="VERDICT", help="SES's DMARC verdict; only with PASS does an OK by From count.")
    ] = "PASS",
    parent_style: ParentStyleOption = None,
    tables: TablesOption = None,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what the sender rules say of each sender, by a tables file or by the live tables.

    With --json one object a line: sender, action (DUNNO when no rule says anything, ERROR for a row that
    cannot be understood), text, matched key, scope. Exit status 0, or 1 if a row cannot be understood.
    """
    done = True
    people = [author.address for author in authors((header_from or "").encode())]
    with exits():
        screener = Screener(source(stack, tables, parent_style), people, Verdicts(dmarc=dmarc.upper()))
        for sender in _listed(senders):
            screened, rules = screener.screen(sender, alias)
            typer.echo(json.dumps(screened) if as_json else escaped(_screened(screened, rules)))
            done = done and screened["action"] != "ERROR"
    raise typer.Exit(0 if done else NO)


def resolutions(found: Source, addresses: Iterable[str]) -> Iterator[dict[str, Any]]:
    """What each address stands for, as plain data in the order given. Raises Temporary."""
    remaining, now = iter(addresses), time.time()
    while batch := list(islice(remaining, _BATCH)):
        parsed = [_parsed(text) for text in batch]
        rows = Rows()
        follow(found.tables, [one for one in parsed if isinstance(one, Address)], rows, found.policy, now)
        for text, one in zip(batch, parsed, strict=True):
            if isinstance(one, Address):
                yield _described(text, aliases.resolve(one, rows, found.domains, now))
            else:
                yield _described(text, aliases.Resolution("error", detail=one))


class Screener:
    """Asks the sender rules; `people` are the authors in the header."""

    def __init__(self, found: Source, people: Iterable[Address], verdicts: Verdicts) -> None:
        self._source, self._people, self._verdicts = found, tuple(people), verdicts

    def screen(self, sender: str, alias: str | None) -> tuple[dict[str, Any], tuple[SenderRule, ...]]:
        """The rule that counts, as plain data, and all that hold. Raises Temporary."""
        policy, scope = self._source.policy, self._scope(alias)
        asked = Senders.of(Envelope.offline(sender, (), self._verdicts), self._people, policy.parent_style)
        rows = self._source.tables.read((), tuple(asked.keys([scope])))
        try:
            ruling = judge(asked, scope, rows, policy.own_domains)
        except BadRow as fault:
            return {"sender": sender, "action": "ERROR", "text": str(fault), "matched": None, "scope": None}, ()
        rule = _shown(ruling)
        return {
            "sender": sender,
            "action": rule.action.word if rule else DUNNO,
            "text": rule.action.text if rule else "",
            "matched": rule.sender if rule else None,
            "scope": rule.scope if rule else None,
        }, ruling.rules

    def _scope(self, alias: str | None) -> str:
        """The key of the row that answers for the alias, or what was typed if none does."""
        if alias is None:
            return EVERYWHERE
        address = _parsed(alias)
        if not isinstance(address, Address):
            return scope_key(alias)
        rows, now = Rows(), time.time()
        follow(self._source.tables, [address], rows, self._source.policy, now)
        matched = aliases.resolve(address, rows, self._source.domains, now).matched
        return matched[0] if matched else address.key


def _shown(ruling: Ruling) -> SenderRule | None:
    return ruling.final or next(filter(None, (ruling.first(word) for word in _PRECEDENCE)), None)


def _listed(arguments: Iterable[str]) -> Iterator[str]:
    for argument in arguments:
        if argument == STANDARD_INPUT:
            yield from (line.strip() for line in sys.stdin if line.strip())
        else:
            yield argument


def _parsed(text: str) -> Address | str:
    """The address, or what is wrong with it."""
    try:
        return Address.parse(text)
    except InvalidAddress as fault:
        return str(fault)


def _described(text: str, resolution: aliases.Resolution) -> dict[str, Any]:
    return {
        "address": text,
        "outcome": resolution.outcome,
        "destinations": [str(destination) for destination in resolution.destinations],
        "matched": list(resolution.matched),
        "error": resolution.detail if resolution.outcome == "error" else None,
    }


def _resolved(found: dict[str, Any]) -> str:
    where = ", ".join(found["destinations"]) or found["error"] or ""
    by = f" ({', then '.join(found['matched'])})" if found["matched"] else ""
    return f"{found['address']}: {found['outcome']}{' ' if where else ''}{where}{by}"


def _screened(found: dict[str, Any], rules: Iterable[SenderRule]) -> str:
    said = "; ".join(map(str, rules)) or found["text"] or "no rule"
    return f"{found['sender']}: {found['action']} ({said})"
