"""The mail that tells those who get an alias's mail that a message sent as the alias bounced or drew a complaint.

The words of other servers, and the subject, stand on lines of their own, cut to a length and without control
characters.
"""

from collections.abc import Iterator

from . import fields
from .digest import one_line
from .feedback import COMPLAINED, REJECTED
from .gate_mail import gate_mail
from .send_as import SentAs

_MAX_SUBJECT = 200  # octets of a subject that are quoted
_MAX_WHY = 500  # octets of another server's words

_TITLES = {COMPLAINED: "Reported as spam"}
_SAID = {
    COMPLAINED: "was reported as spam by",
    REJECTED: "was not sent, because Amazon SES found a virus in it, to",
}


def notice(mail: SentAs) -> bytes:
    """The mail to those who read the alias's mail: a header in ASCII, a text in UTF-8."""
    subject = fields.shortened(one_line(mail.subject), _MAX_SUBJECT)
    title = f"{_TITLES.get(mail.kind, 'Not delivered')}: {subject or f'your message as {mail.address}'}"
    return gate_mail(mail.address, mail.address, title, _lines(mail, subject))


def _lines(mail: SentAs, subject: str) -> Iterator[str]:
    yield f"A message that was sent as {mail.address} {_SAID.get(mail.kind, 'did not arrive at')}"
    for who, why in mail.lost:
        yield ""
        yield f"  {one_line(who)}"
        yield f"    {fields.shortened(one_line(why), _MAX_WHY)}"
    yield ""
    if subject:
        yield f"  Subject: {subject}"
        yield ""
    if mail.kind == COMPLAINED:
        yield "Do not write to them again: Amazon pauses accounts that draw many complaints."
    else:
        yield "It is not sent again. If the address is right, its mail server's words above say what is wrong."
    yield "Did you not write it? Then someone else has the password: the owner of this mail system sets a new one with"
    yield f"`postern send-as rotate {mail.address}`."
