"""`postern screen`: what the rules say of a sender."""

import json
import time
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer
from postern_mail.lookup import follow
from postern_mail.mail import aliases, settings
from postern_mail.mail.actions import BCC, DUNNO, HOLD, INFO, PREPEND, REDIRECT, TAG, WARN
from postern_mail.mail.address import Address
from postern_mail.mail.envelope import Envelope
from postern_mail.mail.header import Header
from postern_mail.mail.keys import scope_key, with_domain
from postern_mail.mail.plan import header_rules, ruled
from postern_mail.mail.records import replace
from postern_mail.mail.rows import BadRow, Rows
from postern_mail.mail.senders import EVERYWHERE, Ruling, SenderRule, Senders
from postern_mail.mail.verdicts import Verdicts
from postern_mail.mail.visible import visible

from .options import JsonOption, ParentStyleOption, StackOption, TablesOption
from .resolve import listed, parsed_address
from .source import Source, source
from .status import NO, exits

# Which rule is shown where several hold: the one that counts before the others.
_PRECEDENCE = (HOLD, REDIRECT, BCC, TAG, PREPEND, WARN, INFO, DUNNO)


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
    subject: Annotated[str | None, typer.Option(help="What Subject says, for header rules.")] = None,
    to: Annotated[str | None, typer.Option(help="What To says.")] = None,
    list_id: Annotated[str | None, typer.Option(help="What List-Id says.")] = None,
    size: Annotated[int | None, typer.Option(min=0, help="Octets of the message.")] = None,
    dmarc: Annotated[
        str, typer.Option(metavar="VERDICT", help="SES's DMARC verdict; only with PASS does an OK by From count.")
    ] = "PASS",
    parent_style: ParentStyleOption = None,
    tables: TablesOption = None,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what the sender rules say of each sender, by a tables file or by the live tables; with what stands in the
    header, the header rules too. `postern explain` takes a whole message.

    With --json one object a line: sender, action (DUNNO when no rule says anything, ERROR for a row that
    cannot be understood), text, matched key and scope of the rule that counts before the others, and
    `rules`, all that hold. Exit status 0, or 1 if a row cannot be understood.
    """
    done = True
    header = _header({"From": header_from, "Subject": subject, "To": to, "List-Id": list_id}, size)
    with exits():
        screener = Screener(source(stack, tables, parent_style), header, Verdicts(dmarc=dmarc.upper()))
        for sender in listed(senders):
            screened, rules = screener.screen(sender, alias)
            typer.echo(json.dumps(screened) if as_json else visible(_screened(screened, rules)))
            done = done and screened["action"] != "ERROR"
    raise typer.Exit(0 if done else NO)


class Screener:
    """Asks the sender rules and the header rules."""

    def __init__(self, found: Source, header: Header, verdicts: Verdicts) -> None:
        self._source, self._header, self._verdicts = found, header, verdicts

    def screen(self, sender: str, alias: str | None) -> tuple[dict[str, Any], tuple[SenderRule, ...]]:
        """The rule that counts, as plain data, and all that hold. Raises Temporary."""
        policy, scope = self._source.policy, self._scope(alias)
        envelope = Envelope.offline(sender, (), self._verdicts)
        asked = Senders.of(envelope, self._header.authors, policy.parent_style)
        rows = self._source.tables.read((settings.KEY,), tuple(asked.keys([scope])))
        if by_header_keys := settings.rule_keys(rows, dict.fromkeys((scope, EVERYWHERE))):
            rows.add(self._source.tables.read((), by_header_keys))
        self._source.warn_of_senders(sender, scope)
        try:
            by_header = header_rules(envelope, self._header, rows)
            ruling = ruled(asked, by_header, scope, rows, policy.own_domains)
        except BadRow as fault:
            return {
                "sender": sender,
                "action": "ERROR",
                "text": str(fault),
                "matched": None,
                "scope": None,
                "rules": [],
            }, ()
        rule = _shown(ruling)
        return {
            "sender": sender,
            "action": rule.action.word if rule else DUNNO,
            "text": rule.action.text if rule else "",
            "matched": rule.sender if rule else None,
            "scope": rule.scope if rule else None,
            "rules": [_rule(one) for one in ruling.rules],
        }, ruling.rules

    def _scope(self, alias: str | None) -> str:
        """The key of the row that answers for the alias, or what was typed if none does."""
        if alias is None:
            return EVERYWHERE
        alias = with_domain(alias, self._source.domains)
        address = parsed_address(alias)
        if not isinstance(address, Address):
            return scope_key(alias)
        rows, now = Rows(), time.time()
        follow(self._source.tables, [address], rows, self._source.domains, now)
        matched = aliases.resolve(address, rows, self._source.domains, now).matched
        return matched[0] if matched else address.key


def _header(said: Mapping[str, str | None], size: int | None) -> Header:
    lines = [f"{name}: {' '.join(text.split())}\r\n" for name, text in said.items() if text]
    return replace(Header.of("".join((*lines, "\r\n")).encode()), size=size)


def _rule(rule: SenderRule) -> dict[str, str]:
    return {"sender": rule.sender, "scope": rule.scope, "action": rule.action.word, "text": rule.action.text}


def _shown(ruling: Ruling) -> SenderRule | None:
    return ruling.final or next(filter(None, (ruling.first(word) for word in _PRECEDENCE)), None)


def _screened(found: dict[str, Any], rules: Iterable[SenderRule]) -> str:
    said = "; ".join(map(str, rules)) or found["text"] or "no rule"
    return f"{found['sender']}: {found['action']} ({said})"
