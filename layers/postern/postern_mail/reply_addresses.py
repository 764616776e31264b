"""The forwards of an alias that takes replies: Reply-To holds the reply address of each correspondent."""

from .mail.address import Address
from .mail.authors import Author
from .mail.envelope import Envelope
from .mail.message import Message
from .mail.records import replace
from .mail.replying.contact import correspondents, marks, shown
from .mail.replying.thread import sent_ids
from .mail.rewrite import Style
from .mail.settings import Settings
from .ports.replies import Contacts


def with_reply_addresses(
    style: Style, contacts: Contacts, alias: Address, envelope: Envelope, raw: bytes, settings: Settings
) -> Style:
    """The style of a forward with reply addresses in place of its correspondents; each gets a row first. Raises
    Temporary."""
    message = Message.split(raw)
    known = marks(message)
    named = [(one, contacts.contact_for(alias, one, known)) for one in correspondents(message, envelope.sender)]
    answer_to = tuple(Author(shown(one), contacts.address(row, settings.reply_local_part)) for one, row in named)
    ses_ids = sent_ids(message)
    return replace(style, answer_to=answer_to, own_ids=contacts.own_ids(ses_ids) if ses_ids else {})
