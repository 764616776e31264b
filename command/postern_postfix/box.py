"""The box that ran Postfix, as far as it decides how addresses are read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from postern_mail.mail.address import RECIPIENT_DELIMITER, Address, InvalidAddress

from .targets import quoted

_NEVER_SPLIT = ("postmaster", "mailer-daemon", "double-bounce")


class Kind(Enum):
    """What Postfix does with an address that virtual(5) has finished with, by its domain (ADDRESS_CLASS_README)."""

    LOCAL = "mydestination"  # aliases(5), then the mailboxes of the box's users
    ALIAS = "virtual_alias_domains"  # there is no such address
    MAILBOX = "virtual_mailbox_domains"  # mailboxes of the box
    RELAY = "relay_domains"  # a host behind the box
    OUTSIDE = "outside"  # SMTP to the world


@dataclass(frozen=True, slots=True)
class Box:
    """What of main.cf decides how addresses are read.

    `domains` are those of --domain in order; `kinds` says what Postfix does with any domain.
    `origin` completes a bare name, and `guessed` says that nobody knows whether it is that; `mydomain`
    completes a host name without a dot, "" if nothing does. `hosts` are names of the box.
    `mailboxes` are those that --mailbox gives a new home, by user or by address.
    """

    domains: tuple[str, ...]
    kinds: Callable[[str], Kind]
    origin: str = ""
    guessed: bool = False
    mydomain: str = ""
    hosts: frozenset[str] = frozenset()
    delimiter: str = RECIPIENT_DELIMITER
    virtual_keeps_tag: bool = True
    alias_keeps_tag: bool = False
    included_keeps_tag: bool = False
    owners_hear: bool = True  # owner_request_special
    mailboxes: Mapping[str, str] = field(default_factory=dict)

    @property
    def ours(self) -> tuple[str, ...]:
        """The domains of --domain where aliases(5) holds."""
        return tuple(domain for domain in self.domains if self.kinds(domain) is Kind.LOCAL)

    def is_local(self, domain: str) -> bool:
        """Does aliases(5) hold there?"""
        return self.kinds(domain) is Kind.LOCAL

    def asks_bare(self, domain: str) -> bool:
        """virtual(5): at `$myorigin` and in mydestination a bare name is a key too."""
        return domain == self.origin or self.is_local(domain)

    def split(self, local: str) -> tuple[str, str]:
        """A local part without its tag, and the tag with its delimiter, "" if there is none: split_addr(3)."""
        name = local.lower()
        listed = "-" in self.delimiter and self.owners_hear
        if name in _NEVER_SPLIT or (listed and (name.startswith("owner-") or name.endswith("-request"))):
            return local, ""
        end = next((position for position, one in enumerate(local) if one in self.delimiter), 0)
        return (local[:end], local[end:]) if 0 < end < len(local) else (local, "")

    def takes_tag(self, local: str) -> bool:
        """Is it a name that a tag may follow?"""
        return bool(self.delimiter) and self.split(f"{local}{self.delimiter[0]}x")[0] == local

    def completed(self, local: str, domain: str) -> Address | None:
        """The address that Postfix makes of these, None where it makes none that SES takes."""
        domain = domain or self.origin
        if self.mydomain and "." not in domain and not domain.startswith("[") and not self.is_local(domain):
            domain = f"{domain}.{self.mydomain}"
        try:
            return quoted(local, domain)
        except InvalidAddress:
            return None

    def tagged(self, address: Address, tag: str) -> Address:
        """The address with a tag behind its local part."""
        return Address(f"{address.local}{tag}", address.domain) if tag else address
