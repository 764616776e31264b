"""The tags of a sending, by which SES's events identify it: the message's id, and one for its entry in the ledger."""

import hashlib
import hmac

from .address import Address

MESSAGE_TAG, DESTINATION_TAG = "message", "destination"


def destination_tag(key: bytes, message_id: str, destination: Address) -> str:
    """The tag of a sending to a destination: that of its entry in the ledger."""
    return entry_tag(key, message_id, f"via:{destination.key}")


def entry_tag(key: bytes, message_id: str, entry: str) -> str:
    """The tag of a message's ledger entry, `via:<destination>`, in a form that SES accepts and no stranger can forge:
    32 hex digits of an HMAC.

    A tag is [A-Za-z0-9_-], at most 256 characters, so an address cannot be one
    (docs.aws.amazon.com/ses/latest/APIReference-V2/API_MessageTag.html).
    """
    return hmac.new(key, f"{message_id} {entry}".encode(), hashlib.sha256).hexdigest()[:32]
