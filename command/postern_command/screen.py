"""`postern screen`: what the rules say of a sender."""

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
from .resolve import listed, parsed_address
from .source import Source, source
from .status import NO, WrongUse, exits

_CLIENT = re.compile(r"(?:(?P<name>[A-Za-z0-9_.-]+)\[(?P<address>[^\[\]]+)\]|(?P<alone>[^\[\]]+))\Z")
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
    client: Annotated[
        str | None,
        typer.Option(metavar="CLIENT", help="Who brings it, for lists: 192.0.2.9, or mx.sender.example[192.0.2.9]."),
    ] = None,
    helo: Annotated[str | None, typer.Option(help="What the client says after EHLO.")] = None,
    dns: DnsOption = True,
    parent_style: ParentStyleOption = None,
    tables: TablesOption = None,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what the sender rules say of each sender, by a tables file or by the live tables; with what stands in the
    header, the header rules too. `postern explain` takes a whole message.

    DNS lists and restrictions that are on are asked too, from this machine: about the sender, From, and what
    --client and --helo say. Lines name what was not asked.

    With --json one object a line: sender, action (DUNNO when no rule says anything, ERROR for a row that
    cannot be understood), text, matched key and scope of the rule that counts before the others,
    `rules`, all that hold, and `screening`, null where nothing is on. Exit status 0, or 1 if a row cannot be
    understood.
    """
    done = True
    header = _header({"From": header_from, "Subject": subject, "To": to, "List-Id": list_id}, size)
    with exits():
        who, found = Client.read(client, helo), source(stack, tables, parent_style)
        screener = Screener(found, header, Verdicts(dmarc=dmarc.upper()), Asking(found, dns), who)
        for sender in listed(senders):
            screened, said = screener.screen(sender, alias)
            typer.echo(json.dumps(screened) if as_json else "\n".join(map(visible, said)))
            done = done and screened["action"] != "ERROR"
    raise typer.Exit(0 if done else NO)


@dataclass(frozen=True, slots=True)
class Client:
    """Who brings a message, as far as it is known."""

    address: str = ""
    name: str | None = None
    helo: str | None = None

    @classmethod
    def read(cls, client: str | None, helo: str | None) -> "Client":
        """What was typed, the client as Postfix logs it: `mx.sender.example[192.0.2.9]`, `unknown[192.0.2.9]`, or an
        address alone. Raises WrongUse."""
        if client is None:
            return cls(helo=helo)
        found = _CLIENT.match(client)
        if found is None or not is_address(address := found["alone"] or found["address"]):
            raise WrongUse(f"--client is 192.0.2.9 or mx.sender.example[192.0.2.9], not {client!r}")
        name = found["name"]
        return cls(address, "" if name and name.lower() == "unknown" else name, helo)

    def who(self, sender: Who) -> Who:
        """The same with a sender's domain."""
        return Who(self.address, self.name or "", self.helo, sender.domain)

    @property
    def unasked(self) -> tuple[str, ...]:
        """Restrictions that cannot be asked: whether the address has a name is not known."""
        return (UNKNOWN_CLIENT,) if self.name is None else ()


class Screener:
    """Asks the sender rules, the header rules, and lists and restrictions about `who` brings it."""

    def __init__(
        self, found: Source, header: Header, verdicts: Verdicts, asking: Asking | None = None, who: Client | None = None
    ) -> None:
        self._source, self._header, self._verdicts = found, header, verdicts
        self._asking, self._who = asking or Asking(found, dns=False), who or Client()

    def screen(self, sender: str, alias: str | None) -> tuple[dict[str, Any], list[str]]:
        """What is found, as plain data and as lines for people. Raises Temporary."""
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
        """What screening finds; nothing is asked of what the rules refuse anyway."""
        if ruling.final is not None and ruling.final.action.word != OK:
            return Looked()
        message, sender = self._header.message or Message.split(b""), Who.of(envelope, None)
        who, unasked = self._who.who(sender), self._who.unasked
        return self._asking.look(envelope, message, self._header, found, who, unasked)

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


def _found(sender: str, action: str, text: str, rule: SenderRule | None = None) -> dict[str, Any]:
    where = {"matched": rule.sender if rule else None, "scope": rule.scope if rule else None}
    return {"sender": sender, "action": action, "text": text, **where, "rules": [], "screening": None}


def _line(found: dict[str, Any], rules: Iterable[SenderRule]) -> str:
    said = "; ".join(map(str, rules)) or found["text"] or "no rule"
    return f"{found['sender']}: {found['action']} ({said})"
