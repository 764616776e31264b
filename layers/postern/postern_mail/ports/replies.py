"""What replies ask of the world."""

from collections.abc import Collection, Mapping
from typing import Protocol

from ..mail.address import Address
from ..mail.authors import Author
from ..mail.claims import Claim
from ..mail.replying.contact import Contact


class Contacts(Protocol):
    """The rows behind reply addresses, and what is kept of replies. All raise Temporary."""

    def row_named(self, address: Address) -> str:
        """The id of the row that a reply address stands for, "" for one that we did not make."""

    def address(self, contact: Contact, local_part: str) -> Address:
        """The reply address of a contact."""

    def named(self, row_ids: Collection[str]) -> Mapping[str, Contact]:
        """The contacts in these rows that are there."""

    def met(self, alias: Address, author: Author, known: Collection[str]) -> Contact:
        """The contact for an alias and a correspondent, made if there is none, and used from now on; it has the
        messages with these marks."""

    def own_ids(self, ses_ids: Collection[str]) -> Mapping[str, str]:
        """The repliers' own Message-IDs by SES's ids of their replies, as far as they are known."""

    def is_first(self, contact: Contact, sent_at: int, message_id: str) -> bool:
        """Whether no other message to a contact was written at that second; the same message asks again."""

    def count(self, alias: Address, what: str, most: int) -> None:
        """Count a reply in the name of an alias, once however often it is tried. Raises OverCap once a day has had its
        fill."""

    def going_out(self, claim: Claim, alias: Address, replier: Address) -> None:
        """Note with a claim whose reply it is, and who hears if it does not arrive."""

    def went_out(self, contact: Contact, ses_id: str, own_id: str) -> None:
        """Remember that a contact was used, what SES calls the reply, and what its writer calls it, if he says so."""

    def may_tell(self, alias: Address, cause: str, message_id: str) -> bool:
        """Whether this hour has heard of no other message for this cause."""
