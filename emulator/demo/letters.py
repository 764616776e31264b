"""The letters of the demo, and what should become of each."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ..receiving.authentication import GTUBE
from ..receiving.zone import Zone

DOMAIN = "example.com"
AUTHOR = "betsy@sender.example"


@dataclass(frozen=True)
class Letter:
    """One message, and what should become of it: the SMTP code, who gets it, and whether the sender is answered."""

    title: str
    recipient: str
    raw: bytes
    destinations: tuple[str, ...] = ()
    sender: str = AUTHOR
    author: str = AUTHOR
    smtp_code: int = 250
    answered: bool = False


def letters(zone: Zone) -> Iterator[Letter]:
    """All letters; a key to sign the first with is published in the zone."""
    jane = "jane@dest.example"
    yield Letter("plain text, DKIM-signed", "info@example.com", signed(plain(), zone), (jane,))
    yield Letter("multipart, 8-bit Latin-1, PDF", "info@example.com", _multipart(), (jane,))
    yield Letter("one alias, two destinations", "team@example.com", plain("Team"), (jane, "joe@dest.example"))
    yield Letter("blocked sender", "info@example.com", plain("Buy now"), sender="offers@shop.spammer.example")
    yield Letter("unknown recipient", "nobody@example.com", plain(), answered=True)
    yield Letter("unknown recipient, forged sender", "nobody@example.com", plain(), sender="service@bank.example")
    yield Letter("recipient of another domain", "info@elsewhere.example", plain(), smtp_code=550)
    yield Letter("spam (GTUBE)", "info@example.com", plain(text=GTUBE.decode("ascii")))
    yield Letter("forged From, DMARC reject", "info@example.com", plain(author="Your Bank <service@bank.example>"))


def plain(subject: str = "Lunch?", author: str = f"Betsy Smith <{AUTHOR}>", text: str = "Friday at noon?") -> bytes:
    """A message in plain ASCII."""
    return _crlf(f"""\
From: {author}
To: info@example.com
Subject: {subject}
Date: Sun, 22 Nov 2026 12:00:00 +0000
Message-ID: <1@sender.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

{text}
.a line that starts with a dot
""").encode("ascii")


def _multipart() -> bytes:
    pdf = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    return _crlf(f"""\
From: "Sm\N{LATIN SMALL LETTER I WITH DIAERESIS}th, Betsy" <{AUTHOR}>
To: info@example.com
Subject: =?iso-8859-1?Q?Caf=E9?=
Message-ID: <2@sender.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: 8bit

Caf\N{LATIN SMALL LETTER E WITH ACUTE} cr\N{LATIN SMALL LETTER E WITH GRAVE}me \N{POUND SIGN} 5
--b
Content-Type: application/pdf; name=menu.pdf
Content-Disposition: attachment; filename=menu.pdf
Content-Transfer-Encoding: base64

{base64.encodebytes(pdf).decode("ascii")}--b--
""").encode("latin-1")


def signed(raw: bytes, zone: Zone, domain: str = "sender.example") -> bytes:
    """The message with a DKIM-Signature of this domain, whose key is published in the zone."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    zone.add(f"demo._domainkey.{domain}", "TXT", f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode('ascii')}")
    return bytes(dkim.sign(raw, b"demo", domain.encode("ascii"), private)) + raw


def _crlf(text: str) -> str:
    return text.replace("\n", "\r\n")
