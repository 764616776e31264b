"""Other people's mail servers: mail from a mailbox to other domains arrives in a Maildir.

SES receives for our domains only, so a reply leaves through the mailbox's own provider. In `make local` that is the
same port, for senders that have a Maildir.
"""

from .sending.maildirs import Maildirs


class Outside:
    """Accepts mail for other domains from mailboxes that have already received mail."""

    def __init__(self, maildirs: Maildirs, domain: str) -> None:
        self._maildirs = maildirs
        self._domain = domain

    def takes(self, sender: str, recipient: str) -> bool:
        """Whether the sender has a Maildir here and the recipient is at another domain."""
        _, at, domain = recipient.rpartition("@")
        elsewhere = bool(at) and domain.lower() != self._domain
        return elsewhere and self._maildirs.path(sender).name in self._maildirs.everybody()

    def deliver(self, sender: str, recipient: str, raw: bytes) -> None:
        """Put a message into the recipient's Maildir, as the final server does (RFC 5321 4.4)."""
        self._maildirs.deliver(recipient, f"Return-Path: <{sender}>\r\n".encode() + raw)
