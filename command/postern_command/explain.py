"""`postern explain`: what would happen to a message, without doing any of it."""

import json
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from postern_mail.lookup import look_up
from postern_mail.mail.address import Address, InvalidAddress
from postern_mail.mail.authors import Author
from postern_mail.mail.envelope import NULL_SENDER, TOKEN_LENGTH, BadEvent, Envelope
from postern_mail.mail.header import Header
from postern_mail.mail.keys import no_alias, with_domain
from postern_mail.mail.message import Message
from postern_mail.mail.plan import Decision, Defer, Delivery, Forward, deliveries, plan
from postern_mail.mail.records import replace
from postern_mail.mail.replying.contact import correspondents, shown
from postern_mail.mail.rewrite import Style, rewrite
from postern_mail.mail.settings import Settings

from .asking import Asking, Looked, lines
from .events import unwrapped
from .offline import authenticated, offline_envelope, sender_of
from .options import DnsOption, JsonOption, ParentStyleOption, StackOption, TablesOption
from .output.terminal import printer
from .source import Source, source
from .status import NO, exits, usage_error


def explain(
    message: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="The message, to show how its header changes.")
    ] = None,
    event: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="The SES event, as JSON.")] = None,
    recipient: Annotated[
        list[str] | None,
        typer.Option(help="Without an event: the address it is sent to; may be repeated."),
    ] = None,
    sender: Annotated[
        str | None, typer.Option(help="Without an event: MAIL FROM, <> if empty; else from Return-Path or From.")
    ] = None,
    tables: TablesOption = None,
    stack: StackOption = None,
    parent_style: ParentStyleOption = None,
    dns: DnsOption = True,
    as_json: JsonOption = False,
) -> None:
    """Print what would happen to a message, and why, by a tables file or the live tables. Nothing is sent.

    The event may be wrapped in a Lambda failure record or an SQS or SNS message, and there may be several. Without
    the message, rules see no From header. Without an event, give --recipient; SES's verdicts are then taken as clean.
    DNS lists and restrictions that are on are checked from this machine; the output names any check that was skipped.
    Exit status 0 if the plan was printed, whatever it says; 1 if a recipient is not a mail address; 2 for a file that
    cannot be read; 3 if AWS or the network failed.
    """
    if (event is None) == (not recipient) or (event is None and message is None):
        usage_error("explain needs either --event EVENT.json, or a message and --recipient ADDRESS")
    if event is not None and sender is not None:
        usage_error("--sender is for a message without an event: the event names the sender")
    try:
        with exits():
            raw = message.read_bytes() if message else None
            found = source(stack, tables, parent_style)
            asking = Asking(found, dns)
            if event is None:
                to = tuple(Address.parse(with_domain(one, found.domains)) for one in recipient or ())
                told = [explanation(offline_envelope(raw or b"", to, _typed(sender)), raw, found, asking)]
                told[0]["sender_is"] = sender_of(raw or b"")[1] if sender is None else ""
            else:
                events = list(unwrapped(json.loads(event.read_bytes())))
                message_read = Message.split(raw or b"")
                envelopes = [authenticated(Envelope.from_event(one), message_read) for one in events]
                told = [explanation(one, raw, found, asking) for one in envelopes]
    except (BadEvent, OSError, InvalidAddress) as fault:
        usage_error(fault)
    except (ValueError, RecursionError) as fault:
        usage_error(f"{event} cannot be read: {fault}")
    say = printer()
    for one in told:
        if as_json:
            typer.echo(json.dumps(one))
        else:
            for line in _lines(one):
                say(line, None)
    if any(one["no_address"] for one in told):
        raise typer.Exit(NO)


def explanation(envelope: Envelope, raw: bytes | None, found: Source, asking: Asking | None = None) -> dict[str, Any]:
    """The plan for a message as plain data; given its bytes, also how its header would change. Without `asking`, DNS
    is not asked. Raises Temporary."""
    now, header, policy = time.time(), Header.of(raw or b""), found.policy
    asked = look_up(found.tables, envelope, header, policy, now)
    decisions, looked = plan(envelope, header, asked, policy, now), Looked()
    if any(isinstance(one, Forward) for one in decisions):
        message = header.message or Message.split(b"")
        looked = (asking or Asking(found, dns=False)).look(envelope, message, header, asked)
    if looked.screened is not None:
        decisions = plan(envelope, header, asked, policy, now, score=looked.screened.score)
    return {
        "message_id": envelope.message_id,
        "source": envelope.source,
        "recipients": [_recipient(decision, found.domains) for decision in decisions],
        "no_address": list(envelope.unreadable),
        "screening": looked.data,
        "deliveries": [_delivery(delivery, envelope, raw, asked.settings) for delivery in deliveries(decisions)],
    }


def _lines(explained: dict[str, Any]) -> Iterator[str]:
    sender_is = explained.get("sender_is")
    yield f"message {explained['message_id']} from {explained['source']}" + (f" ({sender_is})" if sender_is else "")
    for recipient in explained["recipients"]:
        yield f"  {recipient['recipient']}: {recipient['decision']}, because {recipient['reason']}"
    for text in explained["no_address"]:
        yield f"  {text}: not a mail address, so no alias can match it"
    yield from (f"  {line}" for line in lines(explained["screening"]))
    for delivery in explained["deliveries"]:
        merged = f" (once for {', '.join(delivery['recipients'])})" if len(delivery["recipients"]) > 1 else ""
        yield f"would send to {delivery['destination']} in the name of {delivery['alias']}{merged}"
        for line in delivery.get("header", ()):
            yield f"  {line}"


def _typed(sender: str | None) -> str | None:
    """The sender given with --sender, None without one. Raises InvalidAddress if it cannot be a MAIL FROM address."""
    if sender is None:
        return None
    return NULL_SENDER if sender in ("", NULL_SENDER) else str(Address.parse(sender))


def _recipient(decision: Decision, domains: Collection[str]) -> dict[str, str]:
    foreign = decision.recipient.domain not in domains
    return {
        "recipient": str(decision.recipient),
        "decision": _name(decision),
        "reason": str(no_alias(decision.recipient.key, domains)) if foreign else _reason(decision),
    }


def _reason(decision: Decision) -> str:
    """The reason, with a caveat for a possible reply address: only the stack's key can tell."""
    like = " (unless it is a reply address: `postern contact list`)"
    return decision.reason + (like if len(decision.recipient.tag) == TOKEN_LENGTH else "")


def with_tokens(style: Style, raw: bytes, alias: Address, envelope: Envelope, settings: Settings) -> Style:
    """The style of a forward that carries reply addresses for its correspondents; TOKEN stands for the real one."""
    people = correspondents(Message.split(raw), envelope.sender)
    to = Address(f"{settings.reply_local_part}+TOKEN", alias.domain)
    return replace(style, answer_to=tuple(Author(shown(one), to) for one in people))


def _delivery(delivery: Delivery, envelope: Envelope, raw: bytes | None, settings: Settings) -> dict[str, Any]:
    described: dict[str, Any] = {
        "destination": str(delivery.destination),
        "alias": str(delivery.alias),
        "recipients": [str(forward.recipient) for forward in delivery.forwards],
    }
    if raw is not None:
        before = _header(raw)
        style = settings.styled(Style(prepended=delivery.prepended, tags=delivery.tags))
        if delivery.replies:
            style = with_tokens(style, raw, delivery.alias, envelope, settings)
        after = _header(rewrite(raw, delivery.alias, envelope, style))
        described["removed"] = [line for line in before if line not in after]
        described["added"] = [line for line in after if line not in before]
        import difflib  # noqa: PLC0415 (this command only)

        described["header"] = [line for line in difflib.ndiff(before, after) if line[0] in "-+"]
    return described


def _header(raw: bytes) -> list[str]:
    """Each field in one line, in printable ASCII."""
    return [ascii(field.raw.decode("latin-1").strip())[1:-1] for field in Message.split(raw).fields]


def _name(decision: Decision) -> str:
    kind = Defer if isinstance(decision, Defer) else type(decision)
    return kind.__name__.lower()
