"""The envelope of a message file, without an SES event."""

from dataclasses import replace

from postern_mail.mail.address import Address
from postern_mail.mail.authentication import Authentication
from postern_mail.mail.authors import authors
from postern_mail.mail.envelope import NULL_SENDER, Envelope
from postern_mail.mail.message import Message
from postern_mail.mail.ses_block import SesBlock, named_id
from postern_mail.mail.verdicts import Verdicts


def offline_envelope(raw: bytes, recipients: tuple[Address, ...], sender: str | None = None) -> Envelope:
    """The envelope of a message without an event: the given sender or the one `sender_of` finds, the id in SES's
    Received field, and no verdicts."""
    source = sender_of(raw)[0] if sender is None else sender
    message = Message.split(raw)
    return authenticated(Envelope.offline(source, recipients, Verdicts(), named_id(message)), message)


def sender_of(raw: bytes) -> tuple[str, str]:
    """(the envelope sender, "" if it comes from Return-Path, else where it comes from)."""
    message = Message.split(raw)
    for name, instead in (("return-path", ""), ("from", "from the From header, as there is no Return-Path")):
        for field in message.named(name)[:1]:
            found = [str(author.address) for author in authors(field.value)]
            return (found[0] if found else NULL_SENDER), instead
    return NULL_SENDER, "empty, as there is neither Return-Path nor From"


def authenticated(envelope: Envelope, message: Message) -> Envelope:
    """The envelope with the authentication results in SES's own header block; unchanged if the file has no such
    block."""
    if SesBlock.of(message, envelope.message_id) is None:
        return envelope
    return replace(envelope, authentication=Authentication.of(message, envelope.message_id))
