"""A message file without the event that SES made of it."""

from dataclasses import replace

from postern_mail.mail.address import Address
from postern_mail.mail.authentication import Authentication
from postern_mail.mail.authors import authors
from postern_mail.mail.envelope import NULL_SENDER, Envelope
from postern_mail.mail.message import Message
from postern_mail.mail.ses_block import SesBlock, named_id
from postern_mail.mail.verdicts import Verdicts


def offline_envelope(raw: bytes, recipients: tuple[Address, ...], sender: str | None = None) -> Envelope:
    """The envelope of a message that has no event: a sender that is given, or the one that `sender_of` finds, the id
    that SES's Received names, and no verdicts."""
    source = sender_of(raw)[0] if sender is None else sender
    message = Message.split(raw)
    return authenticated(Envelope.offline(source, recipients, Verdicts(), named_id(message)), message)


def sender_of(raw: bytes) -> tuple[str, str]:
    """(the envelope's sender, "" if Return-Path names it, else what stands in its place)."""
    message = Message.split(raw)
    for name, instead in (("return-path", ""), ("from", "the header's From, as there is no Return-Path")):
        for field in message.named(name)[:1]:
            found = [str(author.address) for author in authors(field.value)]
            return (found[0] if found else NULL_SENDER), instead
    return NULL_SENDER, "no one, as there is neither Return-Path nor From"


def authenticated(envelope: Envelope, message: Message) -> Envelope:
    """The envelope with what SES wrote on top of the message; as it is where the file has nothing of SES's."""
    if SesBlock.of(message, envelope.message_id) is None:
        return envelope
    return replace(envelope, authentication=Authentication.of(message, envelope.message_id))
