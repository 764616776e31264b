"""`postern resolve`: where mail for an address goes."""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated, Any

import typer
from postern_mail.lookup import follow
from postern_mail.mail import aliases
from postern_mail.mail.address import Address, InvalidAddress
from postern_mail.mail.keys import no_alias, with_domain
from postern_mail.mail.rows import Rows
from postern_mail.mail.visible import visible

from .options import JsonOption, StackOption, TablesOption
from .source import Source, source
from .status import NO, exits

STANDARD_INPUT = "-"
_BATCH = 100  # addresses looked up together: for each level a few BatchGetItem calls at the same time
_RESOLVED = ("forward", "discard")


def resolve(
    addresses: Annotated[list[str], typer.Argument(help="Addresses; - reads more from standard input, one per line.")],
    tables: TablesOption = None,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print where mail for each address goes, by a tables file or by the live tables.

    A bare name gets the domain, if there is only one. With --json, one object per line: address, outcome (forward,
    unknown, disabled, expired, discard, foreign for a domain that is not ours, or error), destinations, matched keys
    in order, error. Exit status 0 if every address resolves, 1 if not.
    """
    done = True
    with exits():
        found = source(stack, tables)
        for resolved in resolutions(found, with_standard_input(addresses)):
            found.warn_of_aliases(resolved["address"])
            typer.echo(json.dumps(resolved) if as_json else visible(_resolved(resolved)))
            done = done and resolved["outcome"] in _RESOLVED
    raise typer.Exit(0 if done else NO)


def resolutions(found: Source, addresses: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Where mail for each address goes, as plain data in the given order. Raises Temporary."""
    remaining, now = iter(addresses), time.time()
    while batch := list(islice(remaining, _BATCH)):
        parsed = [parsed_address(with_domain(text, found.domains)) for text in batch]
        rows = Rows()
        follow(found.tables, [one for one in parsed if isinstance(one, Address)], rows, found.domains, now)
        for text, one in zip(batch, parsed, strict=True):
            if isinstance(one, Address) and one.domain not in found.domains:
                yield _described(text, aliases.Resolution("foreign", detail=str(no_alias(one.key, found.domains))))
            elif isinstance(one, Address):
                yield _described(text, aliases.resolve(one, rows, found.domains, now))
            else:
                yield _described(text, aliases.Resolution("error", detail=one))


def with_standard_input(arguments: Iterable[str]) -> Iterator[str]:
    """The arguments, with the lines of standard input in place of -."""
    for argument in arguments:
        if argument == STANDARD_INPUT:
            yield from (line.strip() for line in sys.stdin if line.strip())
        else:
            yield argument


def parsed_address(text: str) -> Address | str:
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
        "error": resolution.detail if resolution.outcome in ("error", "foreign") else None,
    }


def _resolved(found: dict[str, Any]) -> str:
    where = ", ".join(found["destinations"]) or found["error"] or ""
    by = f" ({', then '.join(found['matched'])})" if found["matched"] else ""
    return f"{found['address']}: {found['outcome']}{' ' if where else ''}{where}{by}"
