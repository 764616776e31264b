"""The addresses of correspondents: `reply+TOKEN@example.com`.

TOKEN is the id of a row and an HMAC of it, so an address that we did not make costs no look-up. Every quoted reply
shows it, and it is no secret: it selects a row, and gives no right.
"""

import base64
import hashlib
import hmac
import re

from ..address import Address
from ..envelope import TOKEN_LENGTH

_ID, _MAC = 10, 16  # characters of base32 (RFC 4648 6): 50 and 80 bits; together TOKEN_LENGTH
MAX_LOCAL_PART = 64 - len("+") - TOKEN_LENGTH  # RFC 5321 4.5.3.1.1
_TOKEN = re.compile(rf"[a-z2-7]{{{TOKEN_LENGTH}}}\Z")


def contact_id(key: bytes, alias: Address, contact: Address, serial: int) -> str:
    """The id of the row for this alias and correspondent; `serial` counts the revoked ones before it."""
    return _digest(key, f"contact {alias.key} {contact.key} {serial}")[:_ID]


def reply_address(key: bytes, row_id: str, local_part: str, domain: str) -> Address:
    """The address of a row."""
    return Address(f"{local_part}+{row_id}{_mac(key, row_id, domain)}", domain)


def row_named(key: bytes, address: Address) -> str:
    """The id of the row that an address stands for, "" if it was not made with this key for its domain.

    The part before the + does not matter, so addresses made before the setting changed stay valid.
    """
    token = address.tag.lower()
    if not _TOKEN.match(token):
        return ""
    row_id, mac = token[:_ID], token[_ID:]
    return row_id if hmac.compare_digest(mac, _mac(key, row_id, address.domain)) else ""


def _mac(key: bytes, row_id: str, domain: str) -> str:
    return _digest(key, f"reply {row_id} {domain}")[:_MAC]


def _digest(key: bytes, text: str) -> str:
    return base64.b32encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode("ascii").lower()
