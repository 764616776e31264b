"""The tags of what is sent, by which SES's events name it: the message's id, and one for its entry in the ledger."""

import hashlib
import hmac

from .address import Address

MESSAGE_TAG, DESTINATION_TAG = "message", "destination"


def destination_tag(key: bytes, message_id: str, destination: Address) -> str:
    """The tag of what is sent to a destination: that of its entry in the ledger."""
    return entry_tag(key, message_id, f"via:{destination.key}")


def entry_tag(key: bytes, message_id: str, entry: str) -> str:
    """A message's ledger entry, `via:<destination>`, in a form SES takes as a tag and that no stranger can make: 32 hex
    digits of an HMAC.

    A tag is [A-Za-z0-9_-], at most 256 characters, so an address cannot be one
    (docs.aws.amazon.com/ses/latest/APIReference-V2/API_MessageTag.html).
    """
    return hmac.new(key, f"{message_id} {entry}".encode(), hashlib.sha256).hexdigest()[:32]
