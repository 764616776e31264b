"""`postern explain`: what would become of a message, without doing any of it."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from postern_mail.lookup import look_up
from postern_mail.mail.address import Address, InvalidAddress
from postern_mail.mail.envelope import BadEvent, Envelope
from postern_mail.mail.header import Header
from postern_mail.mail.message import Message
from postern_mail.mail.plan import Decision, Defer, Delivery, deliveries, plan
from postern_mail.mail.rewrite import Style, rewrite
from postern_mail.mail.settings import Settings
from postern_mail.mail.visible import visible
from rich.console import Console

from .offline import authenticated, offline_envelope
from .options import JsonOption, ParentStyleOption, StackOption, TablesOption
from .source import Source, source
from .status import exits, wrong_use


def explain(
    message: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="The message, to see how its header changes.")
    ] = None,
    event: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="SES's Lambda event, as JSON.")
    ] = None,
    recipient: Annotated[
        list[str] | None,
        typer.Option(help="An address of ours it would come to, where there is no event; may be repeated."),
    ] = None,
    tables: TablesOption = None,
    stack: StackOption = None,
    parent_style: ParentStyleOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what would become of a message, and why, by a tables file or the live tables. Nothing is sent.

    Without the message the rules see no header From. Without an event say --recipient: the sender is then the
    one in Return-Path, and SES has found nothing against the message. Exit status 0 when the plan was
    printed, whatever it is; 2 for a file that cannot be read; 3 if AWS or the network failed.
    """
    if (event is None) == (not recipient) or (event is None and message is None):
        wrong_use("explain needs either --event EVENT.json, or a message and --recipient for whom it would be")
    try:
        to = tuple(map(Address.parse, recipient or ()))
        with exits():
            found = explanation(event, message, to, source(stack, tables, parent_style))
    except (BadEvent, OSError, InvalidAddress) as fault:
        wrong_use(fault)
    except (ValueError, RecursionError) as fault:
        wrong_use(f"{event}: {fault}")
    if as_json:
        typer.echo(json.dumps(found))
    else:
        for line in lines(found):
            Console(soft_wrap=True, highlight=False, markup=False).print(line)


def explanation(
    event: Path | None, message: Path | None, recipients: tuple[Address, ...], found: Source
) -> dict[str, Any]:
    """The plan for an event, as plain data; with the message, also how its header would change.

    Without an event the message, and to whom it would come, stand for one. Raises BadEvent, OSError, Temporary,
    or ValueError for an event file that is not JSON.
    """
    now = time.time()
    raw = message.read_bytes() if message else None
    if event:
        envelope = authenticated(Envelope.from_event(json.loads(event.read_bytes())), Message.split(raw or b""))
    else:
        envelope = offline_envelope(raw or b"", recipients)
    header, policy = Header.of(raw or b""), found.policy
    asked = look_up(found.tables, envelope, header, policy, now)
    decisions = plan(envelope, header, asked, policy, now)
    return {
        "message_id": envelope.message_id,
        "source": envelope.source,
        "recipients": [_recipient(decision) for decision in decisions],
        "deliveries": [_delivery(delivery, envelope, raw, asked.settings) for delivery in deliveries(decisions)],
    }


def lines(explained: dict[str, Any]) -> Iterator[str]:
    """The same for people; what could steer a terminal is spelled out."""
    return map(visible, _lines(explained))


def _lines(explained: dict[str, Any]) -> Iterator[str]:
    yield f"message {explained['message_id']} from {explained['source']}"
    for recipient in explained["recipients"]:
        yield f"  {recipient['recipient']}: {recipient['decision']}, because {recipient['reason']}"
    for delivery in explained["deliveries"]:
        merged = f" (once for {', '.join(delivery['recipients'])})" if len(delivery["recipients"]) > 1 else ""
        yield f"would send to {delivery['destination']} in the name of {delivery['alias']}{merged}"
        for sign, name in (("-", "removed"), ("+", "added")):
            for line in delivery.get(name, ()):
                yield f"  {sign} {line}"


def _recipient(decision: Decision) -> dict[str, str]:
    return {
        "recipient": str(decision.recipient),
        "decision": _name(decision),
        "reason": decision.reason,
    }


def _delivery(delivery: Delivery, envelope: Envelope, raw: bytes | None, settings: Settings) -> dict[str, Any]:
    described: dict[str, Any] = {
        "destination": str(delivery.destination),
        "alias": str(delivery.alias),
        "recipients": [str(forward.recipient) for forward in delivery.forwards],
    }
    if raw is not None:
        before = _header(raw)
        after = _header(rewrite(raw, delivery.alias, envelope, settings.styled(Style(prepended=delivery.prepended))))
        described["removed"] = [line for line in before if line not in after]
        described["added"] = [line for line in after if line not in before]
    return described


def _header(raw: bytes) -> list[str]:
    """Each field in one line, fit for a terminal."""
    return [ascii(field.raw.decode("latin-1").strip())[1:-1] for field in Message.split(raw).fields]


def _name(decision: Decision) -> str:
    kind = Defer if isinstance(decision, Defer) else type(decision)
    return kind.__name__.lower()
