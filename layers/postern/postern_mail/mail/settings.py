"""Settings: what the owner changes without a deployment, one item of the alias table under the key `#settings`.

It is read with the first look-up of each message. A setting that it does not hold has its default; one that cannot be
parsed defers the mail, as a bad row does. A setting is one field of `Settings`: its name, type and default, its
meaning, and its allowed values. docs/settings.md and `postern settings` are generated from these fields.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Self

from .alias_attributes import REPLIES
from .dsn import AUTHENTICATED, OFF
from .records import dataclass, field, fields, replace
from .rewrite import FROM_FORMS, Style
from .rows import (
    BOOKKEEPING,
    FOREIGN,
    LAST_RULE,
    MOST_RULES,
    RESERVED,
    BadRow,
    Row,
    Rows,
    SenderKey,
    flag,
    rule_key,
)
from .verdicts import CHOICES

KEY = f"{RESERVED}settings"
MEGABYTE = 1024 * 1024
MOST_SENT = 40  # MB that SES sends: docs.aws.amazon.com/ses, "Service quotas"
MAX_TEXT = 40  # characters
# Mail with a From of ours that is not authenticated.
QUARANTINED, AS_PUBLISHED = OWN_FROM = ("quarantine", "as-published")
TAGGED = "tag"
RESTRICTION = ("off", TAGGED, QUARANTINED)  # the consequences of a restriction's finding
# Forms of text: DNS lists, host names, header rules, the part before the + of reply addresses.
SITES, NAMES, NUMBERS, LOCAL_PART = "sites", "names", "numbers", "local part"
MAX_LIST = 2000  # characters of such a text
_FORMS = {
    SITES: f"zone=codes*weight, separated by commas, at most {MAX_LIST} characters",
    NAMES: f"host names, separated by commas, at most {MAX_LIST} characters",
    NUMBERS: f"up to {MOST_RULES} numbers from 1 to {LAST_RULE}, separated by commas",
    LOCAL_PART: "a local part in lower case without +, at most 36 characters",
}
_LOCAL_PART = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,34}[a-z0-9])?\Z")  # 64 with + and token (mail.replying.token)
_WEAK = "It counts one point, and only beside others: many good senders fail."
_BESIDE = ("address", *BOOKKEEPING)  # what the item holds besides the settings


class BadSettings(BadRow):
    """Settings that cannot be parsed; the message names each fault."""

    def __init__(self, fault: str) -> None:
        ValueError.__init__(self, f"settings: {fault}")


def _setting(
    default: Any,
    meaning: str,
    *,
    unit: str = "",
    choices: tuple[str, ...] = (),
    least: int = 0,
    most: int | None = None,
    form: str = "",
) -> Any:
    metadata = {
        "meaning": meaning, "unit": unit, "choices": choices, "least": least, "most": most, "form": form
    }  # fmt: skip
    return field(default=default, metadata=metadata)


def _restriction(condition: str, note: str = "") -> Any:
    return _setting(RESTRICTION[0], f"What follows if {condition}. {note}".rstrip(), choices=RESTRICTION)


def _screened(verdict: str, meaning: str) -> Any:
    choices = CHOICES[verdict]
    return _setting(choices[0], f"{meaning} An alias's own `verdicts` come first.", choices=choices)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings for all mail."""

    from_form: str = _setting(
        FROM_FORMS[0], "How the author is shown in From (docs/tables.md has examples).", choices=FROM_FORMS
    )
    subject_tag: str = _setting("", "Text that goes before the subject of forwarded mail.")
    largest_forward: int = _setting(
        MOST_SENT,
        "Largest message that is sent whole; for a larger one the destination gets a notice. Choose the mailboxes' own"
        " limit, often 25, or they bounce larger messages.",
        unit="MB",
        least=1,
        most=MOST_SENT,
    )
    own_from: str = _setting(
        QUARANTINED,
        "What becomes of mail with a From at one of your domains, or below one, for which SES saw neither SPF nor DKIM"
        " pass. With `as-published` only DMARC decides, as for every other domain.",
        choices=OWN_FROM,
    )
    spam_action: str = _screened(
        "spam", "What becomes of mail that SES calls spam. If it is forwarded, complaints about it count against you."
    )
    virus_action: str = _screened("virus", "What becomes of mail in which SES finds a virus.")
    dmarc_action: str = _screened(
        "dmarc",
        "What becomes of mail that fails DMARC. `as-published`: quarantined if the sender's domain asks for"
        " quarantine or reject, else forwarded.",
    )
    count_header_recipients: bool = _setting(
        True,
        "Whether To and Cc in the header count towards SES's limit of 50 recipients; if so, longer lists are renamed."
        " Only real mail can tell (docs/quirks.md).",
    )
    answer_senders: str = _setting(
        AUTHENTICATED,
        "Whether a sender whose own domain SES found authenticated is told that an address does not exist or refuses"
        " the message, or that it could not be delivered.",
        choices=(AUTHENTICATED, OFF),
    )
    answers_per_domain: int = _setting(
        20,
        "Most answers to senders of one domain; beyond that no sender is told, and the ledger says so.",
        unit="an hour",
    )
    answers_per_hour: int = _setting(200, "Most answers to senders altogether.", unit="an hour")
    rate_cap: int = _setting(
        300,
        "Most messages from one sender's domain to one destination, and to one through catch-alls; 0 for no limit."
        " Further ones wait for the next hour.",
        unit="an hour",
        most=999_999,
    )
    suspend_after: int = _setting(
        5,
        "How many senders' mail must bounce or draw complaints within `suspend_days` before a destination is suspended."
        " One bounce is enough if the mailbox does not exist.",
        unit="senders",
        least=1,
        most=9999,
    )
    suspend_days: int = _setting(7, "Days within which these failures count.", unit="days", least=1, most=999)
    daily_test: bool = _setting(
        True,
        "Whether Postern sends itself a message each day, through SES and the public MX of each domain, and reports if"
        " it does not arrive within an hour.",
    )
    reply: str = _setting(
        REPLIES[0],
        "Whether forwards show a reply address for the author (docs/reply.md). An alias's `reply` overrides it.",
        choices=REPLIES,
    )
    reply_requires: str = _setting(
        "dmarc", "What SES must have verified about a reply; `dkim`: an aligned signature.", choices=("dmarc", "dkim")
    )
    reply_local_part: str = _setting(
        "reply", "The part of reply addresses before the +. No alias may have this name while replies are on.",
        form=LOCAL_PART,
    )  # fmt: skip
    replies_per_day: int = _setting(
        100, "Most replies in the name of one alias; further ones wait.", unit="a day", least=1, most=1000
    )
    leaks: str = _setting(
        "warn",
        "What becomes of a reply whose body names its owner's address or host: sent, with a warning, or quarantined.",
        choices=("warn", "refuse"),
    )
    reject_invalid_helo_hostname: str = _restriction("the HELO name is neither a host name nor an address")
    reject_non_fqdn_helo_hostname: str = _restriction("the HELO name has no dot, or is not a host name")
    reject_non_fqdn_sender: str = _restriction("the domain of MAIL FROM has no dot, or is not a host name")
    reject_unknown_sender_domain: str = _restriction(
        "the domain of MAIL FROM has neither MX nor address, or declares that it takes no mail"
    )
    reject_unknown_reverse_client_hostname: str = _restriction("the client's address has no name", _WEAK)
    reject_unknown_helo_hostname: str = _restriction("the HELO name has neither address nor MX", _WEAK)
    dnsbl_sites: str = _setting(
        "",
        "DNS lists to ask about the client's address, as in postscreen_dnsbl_sites: zone=127.0.0.[2..11]*weight, ...",
        form=SITES,
    )
    rhsbl_sites: str = _setting(
        "", "DNS lists to ask about domains: MAIL FROM, From, Reply-To, HELO, the client's name.", form=SITES
    )
    dnsbl_action: str = _setting(
        QUARANTINED,
        "What follows from a listing: its weight counts towards the threshold, or X-Postern-Listed shows it.",
        choices=(QUARANTINED, TAGGED),
    )
    dnsbl_skip: str = _setting(
        "",
        "Host names of forwarders, separated by commas, whose client addresses are not looked up: a listing would judge"
        " the wrong party. Large forwarders are built in.",
        form=NAMES,
    )
    screening_threshold: int = _setting(
        1, "How many points quarantine a message, from lists and restrictions together.", least=1, most=1000
    )
    header_rules: str = _setting(
        "", "The numbers of the header rules in use (docs/tables.md); `postern rule` maintains them.", form=NUMBERS
    )
    verdict_fields: bool = _setting(
        False,
        "Whether forwards show SES's results: X-Postern-Spam-Verdict, -Virus-Verdict, -SPF, -DKIM, -DMARC, and"
        " X-Postern-Listed.",
    )
    greylist: bool = _setting(
        False,
        "Whether unauthenticated mail is held once for each client network, sender and recipient, then screened again.",
    )
    greylist_delay: int = _setting(60, "How long such mail is held.", unit="seconds", least=1, most=86400)
    greylist_max_age: int = _setting(
        35, "How long such mail is remembered after it last came.", unit="days", least=1, most=365
    )
    greylist_auto_whitelist_clients: int = _setting(
        5,
        "After how many such messages, at most one an hour, a client's address is not held any more; 0: never.",
        most=1000,
    )

    @classmethod
    def from_row(cls, row: Row | None) -> Self:
        """Read the item, None if there is none. Raises BadSettings, which names every fault."""
        values: dict[str, Any] = {}
        faults: list[str] = []
        for name, value in (row or {}).items():
            if name in _BESIDE or name.startswith(FOREIGN) or value is None:
                continue
            try:
                values[name] = read(name, value)
            except BadSettings as fault:
                faults.append(str(fault).removeprefix("settings: "))
        if faults:
            raise BadSettings("; ".join(faults))
        return cls(**values)

    @classmethod
    def of(cls, rows: Rows) -> "Settings":
        """The settings read with a message's rows. Raises BadSettings."""
        found: Settings = rows.understood.get(KEY) or cls.from_row(rows.aliases.get(KEY))
        rows.understood[KEY] = found
        return found

    @property
    def largest(self) -> int:
        """Octets of the largest message sent whole."""
        return self.largest_forward * MEGABYTE

    @property
    def restrictions(self) -> dict[str, str]:
        """The consequence of each restriction that is not off, by Postfix's names."""
        return {name: choice for name in _RESTRICTIONS if (choice := getattr(self, name)) != RESTRICTION[0]}

    @property
    def rule_numbers(self) -> tuple[int, ...]:
        """The header rules in use, in their order."""
        return tuple(sorted(numbers(self.header_rules)))

    @property
    def screens(self) -> bool:
        """Whether a message is checked for anything but SES's verdicts."""
        return bool(self.dnsbl_sites or self.rhsbl_sites or self.greylist or self.restrictions)

    @property
    def verdict_actions(self) -> Mapping[str, str]:
        """The consequence of each FAIL of SES's, by the verdict's name."""
        return {"spam": self.spam_action, "virus": self.virus_action, "dmarc": self.dmarc_action}

    def styled(self, style: Style) -> Style:
        """The style, with the owner's choices."""
        return replace(
            style,
            from_form=self.from_form,
            subject_tag=self.subject_tag,
            count_header_recipients=self.count_header_recipients,
        )


_RESTRICTIONS = tuple(one.name for one in fields(Settings) if one.metadata["choices"] == RESTRICTION)


def more_keys(rows: Rows) -> tuple[str, ...]:
    """The keys of other items that these settings need; none if the settings cannot be parsed, which the plan
    reports."""
    try:
        if not Settings.of(rows).greylist:
            return ()
    except BadSettings:
        return ()
    from .greylist import KEYS  # noqa: PLC0415 (for who holds mail only)

    return KEYS


def rule_keys(rows: Rows, scopes: Iterable[str]) -> tuple[SenderKey, ...]:
    """The keys of the header rules for these scopes; none if the settings list none, or cannot be parsed."""
    try:
        asked = Settings.of(rows).rule_numbers
    except BadSettings:
        return ()
    return tuple((rule_key(number), scope) for scope in scopes for number in asked)


def numbers(text: str) -> frozenset[int]:
    """The numbers in a text. Raises ValueError for one that no header rule can have, or too many."""
    words = text.replace(",", " ").split()
    if not all(one.isascii() and one.isdigit() for one in words):
        raise ValueError(text)
    found = frozenset(map(int, words))
    if len(found) > MOST_RULES or not all(1 <= one <= LAST_RULE for one in found):
        raise ValueError(text)
    return found


@dataclass(frozen=True, slots=True)
class Description:
    """One setting, for people: `allowed` describes its values."""

    name: str
    default: Any
    unit: str
    meaning: str
    allowed: str


def descriptions() -> dict[str, Description]:
    """All settings by name, in their order."""
    return {
        one.name: Description(one.name, one.default, one.metadata["unit"], one.metadata["meaning"], _allowed(one))
        for one in fields(Settings)
    }


def read(name: str, value: object) -> Any:
    """The value of one setting, from the table or as typed. Raises BadSettings."""
    found = next((one for one in fields(Settings) if one.name == name), None)
    if found is None:
        raise BadSettings(f"{name}: there is no such setting; there are {', '.join(descriptions())}")
    try:
        return _read(type(found.default), found.metadata, value)
    except BadSettings as fault:
        raise BadSettings(f"{name}: {str(fault).removeprefix('settings: ')}") from None
    except (ValueError, ArithmeticError):  # an infinite Decimal has no int
        shown = str(value) if isinstance(value, Decimal) else repr(value)
        raise BadSettings(f"{name}: expected {_allowed(found)}, found {shown}") from None


def _read(kind: type, may: Mapping[str, Any], value: object) -> Any:
    """Convert a value. Raises ValueError if the setting does not allow it."""
    if kind is bool:
        return flag(value)
    if kind is int:
        if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
            raise ValueError(value)
        number = int(value)
        if number != Decimal(value) or number < may["least"] or (may["most"] is not None and number > may["most"]):
            raise ValueError(value)
        return number
    if not isinstance(value, str) or (may["choices"] and value not in may["choices"]):
        raise ValueError(value)
    if may["form"]:
        return _list(may["form"], value)
    if not may["choices"] and (len(value) > MAX_TEXT or not value.isprintable()):
        raise ValueError(value)
    return value


def _list(form: str, value: str) -> str:
    """Check a text of this form. Raises ValueError; BadSettings if there is more to say."""
    if len(value) > MAX_LIST or not value.isprintable():
        raise ValueError(value)
    if form == NUMBERS:
        numbers(value)
    if form == LOCAL_PART and not _LOCAL_PART.match(value):
        raise ValueError(value)
    if form == SITES and value:
        from .dns_lists import sites  # noqa: PLC0415 (for who screens only)

        try:
            sites(value)
        except ValueError as fault:
            raise BadSettings(str(fault)) from fault
    return value


def _allowed(one: Any) -> str:
    may = one.metadata
    if may["form"]:
        return _FORMS[may["form"]]
    if isinstance(one.default, bool):
        return "true or false"
    if isinstance(one.default, int):
        return f"a whole number from {may['least']} " + ("on" if may["most"] is None else f"to {may['most']}")
    return " or ".join(may["choices"]) or f"at most {MAX_TEXT} characters in one line"
