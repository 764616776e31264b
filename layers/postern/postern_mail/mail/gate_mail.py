"""Mail that the gate itself writes, in the name of a domain: a header in ASCII, and a text in UTF-8."""

import quopri
from collections.abc import Iterable

from . import fields
from .address import Address
from .address_writer import written
from .message import CRLF, Field


def gate_mail(sender: Address, to: Address, subject: str, lines: Iterable[str], more: Iterable[Field] = ()) -> bytes:
    """The whole message; `more` are further fields of its header."""
    header = (
        *addressed(sender, to),
        fields.field("Subject", fields.unstructured(subject), CRLF),
        fields.field("MIME-Version", ["1.0"], CRLF),
        fields.field("Content-Type", ["text/plain;", "charset=utf-8"], CRLF),
        fields.field("Content-Transfer-Encoding", ["quoted-printable"], CRLF),
        fields.field("Auto-Submitted", ["auto-generated"], CRLF),
        *more,
    )
    return b"".join((*(one.raw for one in header), CRLF, quoted_printable(lines)))


def addressed(sender: Address, to: Address) -> tuple[Field, Field]:
    """From, with the domain's gate as its name, and To."""
    return (
        fields.field("From", [*fields.phrase(f"{sender.domain} mail gate"), f"<{written(sender)}>"], CRLF),
        fields.field("To", [f"<{written(to)}>"], CRLF),
    )


def quoted_printable(lines: Iterable[str]) -> bytes:
    """Quoted-printable text without long lines, whatever it says: a command may be long, and must not be broken."""
    text = "".join(f"{line}\n" for line in lines).replace(CRLF.decode(), "\n")
    return quopri.encodestring(text.encode("utf-8", "replace")).replace(b"\n", CRLF)
