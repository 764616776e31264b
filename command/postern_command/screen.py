"""`postern screen`: what the rules say about a sender."""

import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from postern_mail.lookup import follow
from postern_mail.mail import aliases, settings
from postern_mail.mail.actions import BCC, DUNNO, HOLD, INFO, OK, PREPEND, REDIRECT, TAG, WARN
from postern_mail.mail.address import Address
from postern_mail.mail.envelope import Envelope
from postern_mail.mail.header import Header
from postern_mail.mail.hostnames import is_address
from postern_mail.mail.keys import scope_key, with_domain
from postern_mail.mail.message import Message
from postern_mail.mail.plan import LookedUp, header_rules, ruled
from postern_mail.mail.records import replace
from postern_mail.mail.restrictions import UNKNOWN_CLIENT, Who
from postern_mail.mail.rows import BadRow, Rows
from postern_mail.mail.senders import EVERYWHERE, Ruling, SenderRule, Senders
from postern_mail.mail.verdicts import Verdicts
from postern_mail.mail.visible import visible

from .asking import Asking, Looked, lines
from .options import DnsOption, JsonOption, ParentStyleOption, StackOption, TablesOption
from .resolve import parsed_address, with_standard_input
from .source import Source, source
from .status import NO, UsageError, exits

_CLIENT = re.compile(r"(?:(?P<name>[A-Za-z0-9_.-]+)\[(?P<address>[^\[\]]+)\]|(?P<alone>[^\[\]]+))\Z")
# Which rule is shown if several match: the first of these.
_PRECEDENCE = (HOLD, REDIRECT, BCC, TAG, PREPEND, WARN, INFO, DUNNO)


def screen(
    senders: Annotated[
        list[str], typer.Argument(help="MAIL FROM addresses; <> is the null sender; - reads more from standard input.")
    ],
    alias: Annotated[
        str | None, typer.Option(help="The recipient or its alias: rules in its scope come first.")
    ] = None,
    header_from: Annotated[
        str | None, typer.Option(metavar="H", help="The From header; it counts if no rule matches MAIL FROM.")
    ] = None,
    subject: Annotated[str | None, typer.Option(help="The Subject header, for header rules.")] = None,
    to: Annotated[str | None, typer.Option(help="The To header.")] = None,
    cc: Annotated[str | None, typer.Option(help="The Cc header.")] = None,
    list_id: Annotated[str | None, typer.Option(help="The List-Id header.")] = None,
    size: Annotated[int | None, typer.Option(min=0, help="The message's size in bytes.")] = None,
    dmarc: Annotated[
        str, typer.Option(metavar="VERDICT", help="SES's DMARC verdict; an OK for From counts only with PASS.")
    ] = "PASS",
    client: Annotated[
        str | None,
        typer.Option(metavar="CLIENT", help="The client, for DNS lists: 192.0.2.9 or mx.sender.example[192.0.2.9]."),
    ] = None,
    helo: Annotated[str | None, typer.Option(help="The name that the client gives with EHLO.")] = None,
    dns: DnsOption = True,
    parent_style: ParentStyleOption = None,
    tables: TablesOption = None,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what the sender rules say about each sender, by a tables file or the live tables. Given header fields, it
    includes the header rules. `postern explain` takes a whole message.

    DNS lists and restrictions that are on are checked too, from this machine, for the sender, From, --client and
    --helo. The output names any check that was skipped.

    With --json, one object per line: sender, action (DUNNO if no rule matches, ERROR for a row that cannot be
    understood), text, the matched key and scope of the rule that takes precedence, `rules`, all that match, and
    `screening`, null if none is on. Exit status 0, or 1 if a row cannot be understood.
    """
    done = True
    header = _header({"From": header_from, "Subject": subject, "To": to, "Cc": cc, "List-Id": list_id}, size)
    with exits():
        who, found = Client.read(client, helo), source(stack, tables, parent_style)
        screener = Screener(found, header, Verdicts(dmarc=dmarc.upper()), Asking(found, dns), who)
        for sender in with_standard_input(senders):
            screened, said = screener.screen(sender, alias)
            typer.echo(json.dumps(screened) if as_json else "\n".join(map(visible, said)))
            done = done and screened["action"] != "ERROR"
    raise typer.Exit(0 if done else NO)


@dataclass(frozen=True, slots=True)
class Client:
    """The SMTP client that delivers a message, as far as it is known."""

    address: str = ""
    name: str | None = None
    helo: str | None = None

    @classmethod
    def read(cls, client: str | None, helo: str | None) -> "Client":
        """The client from --client and --helo. Postfix's log form is accepted, `mx.sender.example[192.0.2.9]` or
        `unknown[192.0.2.9]`, and an address alone. Raises UsageError."""
        if client is None:
            return cls(helo=helo)
        found = _CLIENT.match(client)
        if found is None or not is_address(address := found["alone"] or found["address"]):
            raise UsageError(f"--client {client!r}: expected 192.0.2.9 or mx.sender.example[192.0.2.9]")
        name = found["name"]
        return cls(address, "" if name and name.lower() == "unknown" else name, helo)

    def who(self, sender: Who) -> Who:
        """The client together with a sender's domain."""
        return Who(self.address, self.name or "", self.helo, sender.domain)

    @property
    def unasked(self) -> tuple[str, ...]:
        """Restrictions that cannot be checked, because it is not known whether the address has a name."""
        return (UNKNOWN_CLIENT,) if self.name is None else ()


class Screener:
    """Applies the sender rules, the header rules, DNS lists and restrictions to senders; `who` is the client."""

    def __init__(
        self, found: Source, header: Header, verdicts: Verdicts, asking: Asking | None = None, who: Client | None = None
    ) -> None:
        self._source, self._header, self._verdicts = found, header, verdicts
        self._asking, self._who = asking or Asking(found, dns=False), who or Client()

    def screen(self, sender: str, alias: str | None) -> tuple[dict[str, Any], list[str]]:
        """The result for a sender, as plain data and as lines for people. Raises Temporary."""
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
            looked = self._looked(envelope, LookedUp(asked, rows), ruling)
            if looked.screened is not None:
                by_header = header_rules(envelope, self._header, rows, looked.screened.score)
                ruling = ruled(asked, by_header, scope, rows, policy.own_domains)
        except BadRow as fault:
            found = _found(sender, "ERROR", str(fault))
            return found, [_line(found, ())]
        rule = _shown(ruling)
        found = _found(sender, rule.action.word, rule.action.text, rule) if rule else _found(sender, DUNNO, "")
        found |= {"rules": [_rule(one) for one in ruling.rules], "screening": looked.data}
        return found, [_line(found, ruling.rules), *(f"  {line}" for line in lines(looked.data))]

    def _looked(self, envelope: Envelope, found: LookedUp, ruling: Ruling) -> Looked:
        """The result of screening; DNS is not asked about what the rules refuse anyway."""
        if ruling.final is not None and ruling.final.action.word != OK:
            return Looked()
        message, sender = self._header.message or Message.split(b""), Who.of(envelope, None)
        who, unasked = self._who.who(sender), self._who.unasked
        return self._asking.look(envelope, message, self._header, found, who, unasked)

    def _scope(self, alias: str | None) -> str:
        """The key of the alias row that matches, or of the address itself if none does."""
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


def _found(sender: str, action: str, text: str, rule: SenderRule | None = None) -> dict[str, Any]:
    where = {"matched": rule.sender if rule else None, "scope": rule.scope if rule else None}
    return {"sender": sender, "action": action, "text": text, **where, "rules": [], "screening": None}


def _line(found: dict[str, Any], rules: Iterable[SenderRule]) -> str:
    said = "; ".join(map(str, rules)) or found["text"] or "no rule"
    return f"{found['sender']}: {found['action']} ({said})"
