"""The facts about the Postfix box that decide how addresses are read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from postern_mail.mail.address import RECIPIENT_DELIMITER, Address, InvalidAddress

from .targets import quoted

_NEVER_SPLIT = ("postmaster", "mailer-daemon", "double-bounce")


class Kind(Enum):
    """What Postfix does with an address after virtual(5), by its domain's class (ADDRESS_CLASS_README)."""

    LOCAL = "mydestination"  # aliases(5), then the mailboxes of the box's users
    ALIAS = "virtual_alias_domains"  # there is no such address
    MAILBOX = "virtual_mailbox_domains"  # mailboxes of the box
    RELAY = "relay_domains"  # a host behind the box
    OUTSIDE = "outside"  # SMTP to the world


@dataclass(frozen=True, slots=True)
class Box:
    """The settings of main.cf that decide how addresses are read.

    `domains` are those of --domain, in order; `kinds` tells the class of any domain. `origin` completes a bare name,
    and `guessed` means that it is only a guess; `mydomain` completes a host name without a dot, "" if nothing does.
    `hosts` are names of the box. `mailboxes` are the new homes given with --mailbox, by user or address.
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
        """The domains of --domain where aliases(5) applies."""
        return tuple(domain for domain in self.domains if self.kinds(domain) is Kind.LOCAL)

    def is_local(self, domain: str) -> bool:
        """Whether aliases(5) applies at a domain."""
        return self.kinds(domain) is Kind.LOCAL

    def asks_bare(self, domain: str) -> bool:
        """Whether a bare name is a key of virtual(5) at a domain: at `$myorigin` and in mydestination."""
        return domain == self.origin or self.is_local(domain)

    def split(self, local: str) -> tuple[str, str]:
        """A local part without its tag, and the tag with its delimiter ("" without one), as split_addr(3) splits."""
        name = local.lower()
        listed = "-" in self.delimiter and self.owners_hear
        if name in _NEVER_SPLIT or (listed and (name.startswith("owner-") or name.endswith("-request"))):
            return local, ""
        end = next((position for position, one in enumerate(local) if one in self.delimiter), 0)
        return (local[:end], local[end:]) if 0 < end < len(local) else (local, "")

    def takes_tag(self, local: str) -> bool:
        """Whether a tag may follow the name."""
        return bool(self.delimiter) and self.split(f"{local}{self.delimiter[0]}x")[0] == local

    def completed(self, local: str, domain: str) -> Address | None:
        """The address that Postfix makes of these, None if SES would not accept it."""
        domain = domain or self.origin
        if self.mydomain and "." not in domain and not domain.startswith("[") and not self.is_local(domain):
            domain = f"{domain}.{self.mydomain}"
        try:
            return quoted(local, domain)
        except InvalidAddress:
            return None

    def tagged(self, address: Address, tag: str) -> Address:
        """The address with a tag after its local part."""
        return Address(f"{address.local}{tag}", address.domain) if tag else address
