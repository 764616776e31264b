"""What Postern says to the same questions: the one place here that knows its modules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from postern_command.tables.file import TablesFile
from postern_mail.lookup import look_up
from postern_mail.mail import aliases, restrictions, senders
from postern_mail.mail.actions import Action
from postern_mail.mail.address import Address, InvalidAddress
from postern_mail.mail.header import Header
from postern_mail.mail.plan import Decision, Defer, Discard, Forward, Policy, Quarantine, Reject, plan
from postern_mail.mail.rows import Rows
from postern_mail.mail.senders import EVERYWHERE

from tests.builders import envelope

NOW = 1_795_000_000.0
PARENT, DOT = senders.PARENT_STYLES
RECIPIENT, DESTINATION = "info@one.example", "jane@out.example"


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a message: rejected, later, discarded, held or forwarded."""

    kind: str
    text: str = ""
    recipients: frozenset[str] = frozenset()
    prepended: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expansion:
    """Where an alias leads outside our own domains; `failed` if the table is at fault."""

    destinations: frozenset[str] = frozenset()
    failed: bool = False


@dataclass(frozen=True, slots=True)
class AliasTable:
    """A table in a form of which both sides' are made: destinations by key, patterns by domain."""

    rows: Mapping[str, Sequence[str]]
    patterns: Mapping[str, Sequence[tuple[str, Sequence[str]]]] = field(default_factory=dict)


def spelled(key: str) -> str | None:
    """A key as rows have it, None if none can: the local part quoted only where it must be."""
    local, _, domain = key.rpartition("@")
    try:
        address = Address.parse(f"{local}@{domain or 'none.example'}")
    except InvalidAddress:
        return None
    return address.key if domain else f"{address.local.lower()}@"


RESTRICTIONS = {
    "invalid-helo": restrictions.INVALID_HELO,
    "non-fqdn-helo": restrictions.NON_FQDN_HELO,
    "non-fqdn-sender": restrictions.NON_FQDN_SENDER,
}


def refuses(service: str, *, helo: str | None = None, sender: str = "<>") -> bool:
    """Whether a restriction that stands alone holds against a name."""
    name = RESTRICTIONS[service]
    who = replace(restrictions.Who.of(envelope(source=sender), None), helo=helo)
    return list(restrictions.found(who, {name: restrictions.QUARANTINE}, {})) == [name]


def search_keys(sender: str, style: str, *, delimiter: bool = True) -> tuple[str, ...]:
    """The keys for a sender, without the second spelling of A-labels; as if `+` meant nothing, if asked."""
    asked = envelope(source=sender or "<>")
    keys = [key for key in senders.envelope_keys(asked, style) if key.isascii() and key != senders.EVERYBODY]
    if not delimiter and asked.sender is not None and asked.sender != (untagged := asked.sender.untagged):
        keys = [key for key in keys if key not in (untagged.key, f"{untagged.local.lower()}@")]
    return tuple(keys)


def answer(table: Mapping[str, str], sender: str, style: str, *, delimiter: bool = True) -> str | None:
    """The text of the rule for a sender, None if there is none."""
    rows = {
        (key.lower(), EVERYWHERE): {"action": action} for key, action in table.items()
    }  # as typed: no spelling corrected
    tables = TablesFile(frozenset(), {}, rows)
    asked = senders.Senders(search_keys(sender, style, delimiter=delimiter))
    found = senders.judge(asked, EVERYWHERE, tables.read([], set(asked.keys([]))), ()).final
    return found.action.text if found else None


def answer_of_members(table: Mapping[str, str], others: str, sender: str) -> str:
    """The text of the rule for a sender where everybody without a rule of their own has the rule `others`."""
    rows = {
        (key.lower(), RECIPIENT): {"action": action} for key, action in {**table, senders.EVERYBODY: others}.items()
    }
    asked = senders.Senders((*search_keys(sender, PARENT), senders.EVERYBODY))
    found = senders.judge(
        asked, RECIPIENT, TablesFile(frozenset(), {}, rows).read([], set(asked.keys([RECIPIENT]))), ()
    )
    assert found.final is not None
    return found.final.action.text


def action_fault(typed: str) -> str:
    """What is said of an action that is no action here, "" if it is one."""
    try:
        Action.parse(typed)
    except ValueError as fault:
        return str(fault)
    return ""


def fate(first: str, second: str) -> Fate:
    """What becomes of a message when its sender has one rule in the alias's scope and one everywhere."""
    rules = [("sender.example", scope, action) for scope, action in ((RECIPIENT, first), (EVERYWHERE, second))]
    tables = TablesFile._from_document(
        {
            "aliases": {RECIPIENT: {"destinations": [DESTINATION]}},
            "senders": [dict(zip(("sender", "scope", "action"), rule, strict=True)) for rule in rules],
        }
    )
    asked = envelope(RECIPIENT, source="s@sender.example")
    found = look_up(tables, asked, Header(), Policy(tables.domains), NOW)
    (decision,) = plan(asked, Header(), found, Policy(tables.domains), NOW)
    ruling = senders.judge(found.senders, RECIPIENT, found.rows, tables.domains)
    return _fate(decision, ruling.final.action.text if ruling.final else "")


def expand(table: AliasTable, recipient: str, own_domains: Sequence[str], *, keep_tag: bool) -> Expansion:
    """Where a recipient's mail goes."""
    made: dict[str, dict[str, Any]] = {
        key: {"destinations": list(destinations), "keep_tag": keep_tag} for key, destinations in table.rows.items()
    }
    for key, patterns in table.patterns.items():
        items = [{"pattern": pattern, "destinations": list(destinations)} for pattern, destinations in patterns]
        made.setdefault(key, {"keep_tag": keep_tag})["patterns"] = items
    return _expansion(TablesFile(frozenset(own_domains), made, {}), Address.parse(recipient))


def _expansion(tables: TablesFile, recipient: Address) -> Expansion:
    rows = Rows()
    while wanted := aliases.unread([recipient], rows, tables.domains, NOW):
        rows.add(tables.read(wanted, []))
    found = aliases.resolve(recipient, rows, tables.domains, NOW)
    return Expansion(frozenset(one.key for one in found.destinations), found.outcome == "error")


def _fate(decision: Decision, text: str) -> Fate:
    kinds: dict[type[Decision], str] = {Reject: "rejected", Defer: "later", Discard: "discarded", Quarantine: "held"}
    if isinstance(decision, Forward):
        return Fate("forwarded", "", frozenset(one.key for one in decision.destinations), decision.prepended)
    kind = kinds[type(decision)]
    return Fate(kind, text if kind in ("rejected", "later") else "")
