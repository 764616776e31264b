"""What SES changes in a message that it sends; everything else stays as it is.

[D] It overwrites Message-ID and Date, signs with DKIM, and removes its control headers and Bcc.
"""

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from .refusals import header_end

_OVERWRITTEN = (b"message-id", b"date")
_TAKEN_OUT = (b"bcc",)
_FIELD = re.compile(rb"^[!-9;-~]+:.*\n(?:[ \t].*\n)*", re.MULTILINE)
_SIGNED = [b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type"]


def delivered(raw: bytes, ses_message_id: str, domain: str) -> bytes:
    """The message as it leaves SES, signed in the name of `domain`."""
    end = header_end(raw)
    header, body = raw[:end], raw[end:]
    kept: list[bytes] = []
    taking = False
    for line in header.splitlines(keepends=True):
        if line[:1] not in (b" ", b"\t"):
            name = line.partition(b":")[0].strip().lower()
            taking = name in _OVERWRITTEN or name in _TAKEN_OUT or name.startswith(b"x-ses-")
        if not taking:
            kept.append(line)
    ours = f"Message-ID: <{ses_message_id}@eu-west-1.amazonses.com>\r\nDate: {format_datetime(datetime.now(UTC))}\r\n"
    fields = b"".join(kept)
    to_sign = ours.encode("ascii") + _signable(fields) + body
    signature = bytes(dkim.sign(to_sign, b"ses", domain.encode("ascii"), private_key(), include_headers=_SIGNED))
    return signature + ours.encode("ascii") + fields + body


def _signable(fields: bytes) -> bytes:
    """The header without the lines that dkimpy cannot read, which are not signed."""
    return b"".join(found[0] for found in _FIELD.finditer(re.sub(rb"\r+\n", b"\r\n", fields)))


@cache
def private_key() -> bytes:
    """This SES's DKIM key, as PEM; made once per process."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
