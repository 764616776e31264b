"""The steps from the present state of one domain to the wanted one. No step takes anything away.

An identity that this stack created carries the stack's name as a tag, set in the call that created it. Any other is
adopted: it gets what it lacks and keeps what was chosen for it. A record set is written only where there is none,
except for a DMARC record that still says what we wrote before.
"""

from ..mail.records import dataclass, field
from .records import DMARC, SPF, Dkim, RecordSet, Wanted, spf_to_add
from .wish import Wish

TAG = "postern:stack"
LONG_KEY = "RSA_2048_BIT"

# The calls that change an identity.
MAKE, MAIL_FROM_DOMAIN, CONFIGURATION_SET, SIGN, KEY_LENGTH, FEEDBACK_BY_MAIL = (
    "make",
    "MAIL FROM domain",
    "configuration set",
    "DKIM signing",
    "DKIM key length",
    "feedback by mail",
)


@dataclass(frozen=True, slots=True)
class Identity:
    """A domain's identity in SES. `made_by` is the stack that created it, "" if not Postern.

    `easy` is whether SES holds the DKIM keys; `next_key` is the length of the next one. `verified`: mail can be sent.
    """

    dkim: Dkim = field(default_factory=Dkim)
    signs: bool = True
    easy: bool = True
    next_key: str = LONG_KEY
    dkim_status: str = ""
    mail_from: str = ""
    mail_from_status: str = ""
    configuration_set: str = ""
    feedback_by_mail: bool = True
    verified: bool = False
    made_by: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One call to SES about one domain's identity: what to set, and its value; "" unsets it."""

    kind: str
    domain: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One batch of Route 53: `delete` is exactly what exists, or nothing."""

    create: RecordSet
    delete: RecordSet | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """What is left unchanged, and why; with the line that a person may add."""

    domain: str
    why: str


Identities = list[Step | Left]


def identity_steps(domain: str, found: Identity | None, wish: Wish, before: Wish | None = None) -> Identities:
    """What an identity still needs. `before` is the wish of the last deployment."""
    if found is None:
        return [Step(MAKE, domain)]
    ours = found.made_by == wish.stack
    mail_from = wish.options.mail_from(domain)
    # Values that may be replaced: none, and those we set ourselves.
    known_mail_from = {"", mail_from, before.options.mail_from(domain) if before else ""}
    known_set = {"", wish.configuration_set, before.configuration_set if before else ""}
    steps: Identities = []
    if found.mail_from != mail_from:
        if ours or found.mail_from in known_mail_from:
            steps.append(Step(MAIL_FROM_DOMAIN, domain, mail_from))
        else:
            steps.append(Left(domain, f"its MAIL FROM domain is {found.mail_from}, not {mail_from or 'that of SES'}"))
    if found.configuration_set != wish.configuration_set:
        if ours or found.configuration_set in known_set:
            steps.append(Step(CONFIGURATION_SET, domain, wish.configuration_set))
        else:
            steps.append(
                Left(domain, f"its configuration set is {found.configuration_set}, not {wish.configuration_set}")
            )
    return [*steps, *_signing(domain, found), *_feedback(domain, found, by_mail=False)]


def release_steps(domain: str, found: Identity | None, wish: Wish) -> list[Step]:
    """What to restore on an identity that outlives its domain in the stack. Its deleted configuration set would make
    everything else sent in its name fail, and feedback by events goes with the set."""
    if found is None or found.configuration_set != wish.configuration_set:
        return []
    return [*_feedback(domain, found, by_mail=True), Step(CONFIGURATION_SET, domain)]


def _signing(domain: str, found: Identity) -> Identities:
    if not found.easy:
        return [] if found.signs else [Left(domain, "it has a DKIM key of its own, and signing is off")]
    return [
        *([] if found.signs else [Step(SIGN, domain, "on")]),
        *([] if found.next_key == LONG_KEY else [Step(KEY_LENGTH, domain, LONG_KEY)]),
    ]


def _feedback(domain: str, found: Identity, *, by_mail: bool) -> list[Step]:
    """Turn off feedback by mail: a bounce would go to the alias, which forwards it to the mailbox that bounces."""
    if found.feedback_by_mail == by_mail:
        return []
    return [Step(FEEDBACK_BY_MAIL, domain, "on" if by_mail else "")]


def record_step(domain: str, one: Wanted, found: RecordSet | None, before: RecordSet | None) -> Change | Left | None:
    """What to do about one record set, None if it is right. `before` is what the last deployment wanted."""
    if found is None:
        return Change(one.set)
    if found.same_records(one.set):
        return None
    if one.part == SPF:
        line = spf_to_add(found)
        where = "in place of its SPF record" if line and line != one.set.values[0] else "beside its TXT records"
        return Left(domain, f"write {where}: {line}") if line else None
    if one.part == DMARC and found == before:
        return Change(one.set, found)
    there = ", ".join(found.values) or "an alias, or one of several sets"
    return Left(domain, f"{one.set.name} has {found.type} {there}, not {', '.join(one.set.values)}")
