"""Mail that a person sends as an alias, with an SMTP password of SES's (`postern send-as`), and SES's feedback on it.

Such mail is not a forward: it has no claim and no tag of ours. SES names the IAM user of its password in every event,
in the tag `ses:caller-identity` (docs.aws.amazon.com/ses, "Examples of event data that Amazon SES publishes to
EventBridge"). The user's name is derived from the stack and the address, so no table has to say whose mail it is, and
an event that comes after the user is deleted can still be assigned.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from .address import Address
from .authors import authors
from .feedback import KINDS, SECTIONS, detail_of, epoch, lost_people, mapping_in, text_in
from .records import dataclass

CALLER_TAG = "ses:caller-identity"
MOST_AN_HOUR = 20  # events of one alias that are told: a stolen password sends thousands

_MAX_STACK, _MAX_READABLE, _DIGITS = 16, 22, 16  # of a user's name, which has 64 characters (IAM quotas)

UserOf = Callable[[Address], str]  # `user_name` of one stack in one region


def user_name(stack: str, region: str, address: Address) -> str:
    """The IAM user that sends as this address for a stack in a region: readable, and made unique by a digest, because
    IAM has one list of users for all regions.

    Only letters, digits and dashes: SES shows it as the value of a tag, which cannot hold `@`.
    """
    digest = hashlib.sha256(f"{stack} {region} {address.key}".encode()).hexdigest()[:_DIGITS]
    readable = re.sub(r"[^a-z0-9]+", "-", address.key)[:_MAX_READABLE].strip("-")
    return f"{stack[:_MAX_STACK].rstrip('-')}-send-as-{readable}-{digest}"


@dataclass(frozen=True, slots=True)
class SentAs:
    """What happened to a message that was sent as `address`, an alias of ours.

    `kind`, `at` and `id` are as in Feedback. `lost` has each recipient that did not get it, or complained, with the
    reason; it is empty for events that need not be told: deliveries, delays, robots' replies.
    """

    address: Address
    kind: str
    at: int
    id: str
    subject: str = ""
    lost: tuple[tuple[str, str], ...] = ()

    @property
    def message_id(self) -> str:
        """The id, in claims and tags, of the mail that tells of it: the same for the same event."""
        digest = hashlib.sha256(f"{self.id} {self.kind}".encode()).hexdigest()[:32]
        return f"returned-{digest}"

    @classmethod
    def from_event(cls, event: object, user_of: UserOf, domains: Collection[str]) -> "SentAs | None":
        """Read an event; None if it is about other mail: its caller is not the user that sends as its author, by
        `user_of`. Raises BadFeedback."""
        detail = detail_of(event)
        mail = mapping_in(detail, "mail")
        address = _address(mail, user_of, domains)
        if address is None:
            return None
        event_type = str(detail["eventType"])
        section = mapping_in(detail, SECTIONS.get(event_type, event_type.lower()))
        common = mail.get("commonHeaders")
        return cls(
            address=address,
            kind=KINDS[event_type],
            at=epoch(section.get("timestamp") or mail.get("timestamp")),
            id=text_in(section, "feedbackId") or text_in(mail, "messageId"),
            subject=text_in(common, "subject") if isinstance(common, Mapping) else "",
            lost=tuple(lost_people(event_type, section, mail)),
        )


def _address(mail: Mapping[str, Any], user_of: UserOf, domains: Collection[str]) -> Address | None:
    callers = mapping_in(mail, "tags").get(CALLER_TAG)
    if not (isinstance(callers, list) and len(callers) == 1 and isinstance(callers[0], str)):
        return None
    name = callers[0].rpartition("/")[2]  # the ARN may include a path [U]
    named = (one for said in _senders(mail) for one in authors(said.encode("utf-8", "replace")))
    return next((one.address for one in named if one.address.domain in domains and user_of(one.address) == name), None)


def _senders(mail: Mapping[str, Any]) -> Iterator[str]:
    """The senders by the envelope and by From: to which of the two a password is bound is unknown [U]."""
    yield text_in(mail, "source")
    common = mail.get("commonHeaders")
    listed = common.get("from") if isinstance(common, Mapping) else None
    yield from (one for one in (listed if isinstance(listed, list) else ()) if isinstance(one, str))
