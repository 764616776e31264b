"""The servers of others, on a machine that has none: what a mailbox writes to somebody else arrives in a Maildir.

SES takes mail for our domains only, so a reply leaves by the mailbox's own provider. In `make local` that is the same
port, for whoever has a Maildir.
"""

from .sending.maildirs import Maildirs


class Outside:
    """Takes mail from the mailboxes that have got any, for addresses of other domains than ours."""

    def __init__(self, maildirs: Maildirs, domain: str) -> None:
        self._maildirs = maildirs
        self._domain = domain

    def takes(self, sender: str, recipient: str) -> bool:
        """Whether the sender has a Maildir here and the recipient is a mailbox elsewhere."""
        _, at, domain = recipient.rpartition("@")
        elsewhere = bool(at) and domain.lower() != self._domain
        return elsewhere and self._maildirs.path(sender).name in self._maildirs.everybody()

    def deliver(self, sender: str, recipient: str, raw: bytes) -> None:
        """Put it into the recipient's Maildir, as the last server does (RFC 5321 4.4)."""
        self._maildirs.deliver(recipient, f"Return-Path: <{sender}>\r\n".encode() + raw)
