"""What replies need from outside."""

from collections.abc import Collection, Mapping
from typing import Protocol

from ..mail.address import Address
from ..mail.authors import Author
from ..mail.claims import Claim
from ..mail.replying.contact import Contact


class Contacts(Protocol):
    """The rows behind reply addresses, and what is remembered about replies. All raise Temporary."""

    def row_named(self, address: Address) -> str:
        """The id of the row that a reply address stands for, "" if we did not make the address."""

    def address(self, contact: Contact, local_part: str) -> Address:
        """The reply address of a contact."""

    def in_rows(self, row_ids: Collection[str]) -> Mapping[str, Contact]:
        """The contacts in those of these rows that exist, by row id."""

    def contact_for(self, alias: Address, author: Author, known: Collection[str]) -> Contact:
        """The contact for an alias and a correspondent, created if it is new, and marked as used; it stores the
        messages with these marks."""

    def own_ids(self, ses_ids: Collection[str]) -> Mapping[str, str]:
        """The repliers' own Message-IDs, by SES's ids of their replies, where known."""

    def is_first(self, contact: Contact, sent_at: int, message_id: str) -> bool:
        """Whether this is the only message to a contact dated at that second; asking again about the same message
        returns the same."""

    def count(self, alias: Address, what: str, most: int) -> None:
        """Count a reply in the name of an alias, once however often it is attempted. Raises OverCap if the day's limit
        is reached."""

    def going_out(self, claim: Claim, alias: Address, replier: Address) -> None:
        """Note with a claim whose reply it is, and who is told if it does not arrive."""

    def went_out(self, contact: Contact, ses_id: str, own_id: str) -> None:
        """Remember that a contact was used, SES's id of the reply, and the writer's own Message-ID, if there is one."""

    def may_tell(self, alias: Address, cause: str, message_id: str) -> bool:
        """Whether no other message has caused this notice within the hour."""
