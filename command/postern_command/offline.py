"""A message file without the event that SES made of it."""

from dataclasses import replace

from postern_mail.mail.address import Address
from postern_mail.mail.authentication import Authentication
from postern_mail.mail.authors import authors
from postern_mail.mail.envelope import NULL_SENDER, Envelope
from postern_mail.mail.message import Message
from postern_mail.mail.ses_block import SesBlock, named_id
from postern_mail.mail.verdicts import Verdicts


def offline_envelope(raw: bytes, recipients: tuple[Address, ...]) -> Envelope:
    """The envelope of a message that has no event: the sender that Return-Path names, the id that SES's Received
    names, and no verdicts."""
    message = Message.split(raw)
    found = [author.address for field in message.named("return-path")[:1] for author in authors(field.value)]
    source = str(found[0]) if found else NULL_SENDER
    return authenticated(Envelope.offline(source, recipients, Verdicts(), named_id(message)), message)


def authenticated(envelope: Envelope, message: Message) -> Envelope:
    """The envelope with what SES wrote on top of the message; as it is where the file has nothing of SES's."""
    if SesBlock.of(message, envelope.message_id) is None:
        return envelope
    return replace(envelope, authentication=Authentication.of(message, envelope.message_id))
