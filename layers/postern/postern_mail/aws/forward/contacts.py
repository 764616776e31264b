"""The rows behind reply addresses, and what is kept of replies, in partitions of the ledger that no message has.

#contacts  <row id>           an alias and a correspondent, the messages known to it
#sent      <SES's id>         the writer's own Message-ID of a reply
replies:<alias>  <day>        the replies of a day
replies:<alias>  <hour> ...   what its people were told in an hour
replied:<row id> <second>     the reply dated at that second
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import Misconfigured, OverCap
from ...mail.address import Address
from ...mail.authors import Author
from ...mail.claims import Claim
from ...mail.days import A_DAY
from ...mail.replying.contact import LIFETIME, MOST_KNOWN, TOUCHED_AFTER, Contact
from ...mail.replying.permission import OLD
from ...mail.replying.token import contact_id, reply_address, row_named
from ...ports.clock import Clock
from ..items import Items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CONTACTS, SENT = "#contacts", "#sent"
_HOUR = 3600
_KEPT = 48 * _HOUR  # seconds a count is kept, for inspection
_MOST_REVOKED = 100  # rows of one alias and correspondent
_ROOM = 50  # marks beyond MOST_KNOWN, so that they are rarely cut


class DynamoContacts:
    """The port `replies.Contacts`. `key` returns the stack's key for reply addresses."""

    def __init__(self, client: "DynamoDBClient", table: str, key: Callable[[], bytes], clock: Clock) -> None:
        self._items = Items(client, table)
        self._key = key
        self._clock = clock

    def row_named(self, address: Address) -> str:
        """The id of the row that a reply address stands for, "" if we did not make the address. Raises Temporary."""
        return row_named(self._key(), address)

    def address(self, contact: Contact, local_part: str) -> Address:
        """The reply address of a contact. Raises Temporary."""
        return reply_address(self._key(), contact.row_id, local_part, contact.alias.domain)

    def in_rows(self, row_ids: Collection[str]) -> dict[str, Contact]:
        """The contacts in these rows that are there, read consistently. Raises Temporary."""
        return {one: contact for one in row_ids if (contact := self._read(one))}

    def all(self) -> Iterator[Contact]:
        """Every contact. Raises Temporary."""
        return (_contact(row) for row in self._query(CONTACTS))

    def contact_for(self, alias: Address, author: Author, known: Collection[str]) -> Contact:
        """The contact for an alias and a correspondent, made if there is none. Raises Temporary."""
        for serial in range(_MOST_REVOKED):
            row_id = contact_id(self._key(), alias, author.address, serial)
            found = self._read(row_id) or self._made(row_id, alias, author)
            is_his = (found.alias.key, found.address.key) == (alias.key, author.address.key)
            if is_his and not found.is_revoked:
                return self._touched(found, author, known)
        raise Misconfigured(f"{_MOST_REVOKED} reply addresses for {author.address} were revoked")

    def revoke(self, contact: Contact) -> bool:
        """Revoke a contact; returns whether it was in force until now. The row stays, so that its token is never made
        again. Raises Temporary."""
        done, _ = self._items.update(
            "DynamoDB UpdateItem (contact)",
            {"message_id": CONTACTS, "entry": contact.row_id},
            "SET revoked_at = :now REMOVE expires_at, known",
            {":now": int(self._clock.now())},
            condition="attribute_exists(entry) AND attribute_not_exists(revoked_at)",
        )
        return done

    def own_ids(self, ses_ids: Collection[str]) -> dict[str, str]:
        """The repliers' own Message-IDs by SES's ids. Raises Temporary."""
        found = ((one, next(iter(self._query(SENT, one)), {})) for one in ses_ids)
        return {one: str(row["own_id"]) for one, row in found if "own_id" in row}

    def went_out(self, contact: Contact, ses_id: str, own_id: str) -> None:
        """Remember that a contact was used, SES's id of the reply and its writer's. Raises Temporary."""
        self._touched(contact, Author(contact.name, contact.address), ())
        if not own_id:
            return
        self._items.update(
            "DynamoDB UpdateItem (sent)",
            {"message_id": SENT, "entry": ses_id},
            "SET own_id = :own, contact = :contact, expires_at = :expires_at",
            {":own": own_id, ":contact": contact.row_id, ":expires_at": self._expires_at()},
        )

    def is_first(self, contact: Contact, sent_at: int, message_id: str) -> bool:
        """Whether no other message to a contact is dated at that second. Raises Temporary."""
        expires_at = int(self._clock.now()) + 2 * OLD + A_DAY  # after that its Date is too old
        return self._mine(f"replied:{contact.row_id}", str(sent_at), message_id, expires_at)

    def may_tell(self, alias: Address, cause: str, message_id: str) -> bool:
        """Whether no other message has caused this notice within the hour. Raises Temporary."""
        now = int(self._clock.now())
        return self._mine(f"replies:{alias.key}", f"{now // _HOUR * _HOUR} {cause}", message_id, now + _KEPT)

    def count(self, alias: Address, what: str, most: int) -> None:
        """Count a reply, once however often it is attempted. Raises OverCap, Temporary."""
        now = int(self._clock.now())
        counted, _ = self._items.update(
            "DynamoDB UpdateItem (replies)",
            {"message_id": f"replies:{alias.key}", "entry": str(now // A_DAY * A_DAY)},
            "SET expires_at = :expires_at ADD replies :ids",
            {":ids": {what}, ":id": what, ":most": most, ":expires_at": now + _KEPT},
            condition="attribute_not_exists(replies) OR contains(replies, :id) OR size(replies) < :most",
        )
        if not counted:
            raise OverCap(f"{most} replies went out in the name of {alias} today")

    def going_out(self, claim: Claim, alias: Address, replier: Address) -> None:
        """Note with a claim whose reply it is. Raises Temporary."""
        self._items.update(
            "DynamoDB UpdateItem (via)",
            {"message_id": claim.message_id, "entry": claim.entry},
            "SET #alias = :alias, replier = :replier",
            {":alias": str(alias), ":replier": str(replier)},
            condition="attribute_exists(entry)",
        )

    def _mine(self, partition: str, entry: str, message_id: str, expires_at: int) -> bool:
        """Whether this message was the first to ask for an entry."""
        mine, _ = self._items.update(
            "DynamoDB UpdateItem (replies)",
            {"message_id": partition, "entry": entry},
            "SET asked_by = :message, expires_at = :expires_at",
            {":message": message_id, ":expires_at": expires_at},
            condition="attribute_not_exists(entry) OR asked_by = :message",
        )
        return mine

    def _made(self, row_id: str, alias: Address, author: Author) -> Contact:
        now = int(self._clock.now())
        values = {":alias": str(alias), ":address": str(author.address), ":name": author.name, ":now": now,
                  ":expires_at": self._expires_at()}  # fmt: skip
        _, there = self._items.update(
            "DynamoDB UpdateItem (contact)",
            {"message_id": CONTACTS, "entry": row_id},
            "SET #alias = :alias, address = :address, #name = :name, created_at = :now, used_at = :now,"
            " expires_at = :expires_at",
            values,
            condition="attribute_not_exists(entry)",
            returning="ALL_NEW",
        )
        return _contact(there)

    def _touched(self, found: Contact, author: Author, known: Collection[str]) -> Contact:
        """The contact as used now; written if it has new messages, or was not used today."""
        now, new = self._clock.now(), [one for one in known if one not in found.known]
        if not new and now - found.used_at < TOUCHED_AFTER:
            return found
        cut = len(found.known) + len(new) > MOST_KNOWN + _ROOM
        marks: Sequence[str] = [*found.known, *new][-MOST_KNOWN:] if cut else new
        written = ":marks" if cut else "list_append(if_not_exists(known, :none), :marks)"
        values: dict[str, Any] = {
            ":marks": list(marks), ":now": int(now), ":expires_at": self._expires_at(),
            ":name": author.name or found.name, **({} if cut else {":none": []}),
        }  # fmt: skip
        _, there = self._items.update(
            "DynamoDB UpdateItem (contact)",
            {"message_id": CONTACTS, "entry": found.row_id},
            f"SET known = {written}, used_at = :now, expires_at = :expires_at, #name = :name",
            values,
            condition="attribute_exists(entry) AND attribute_not_exists(revoked_at)",
            returning="ALL_NEW",
        )
        return _contact(there) if there else found

    def _read(self, row_id: str) -> Contact | None:
        return next((_contact(row) for row in self._query(CONTACTS, row_id)), None)

    def _query(self, partition: str, entry: str = "") -> Iterator[dict[str, Any]]:
        one = " AND entry = :entry" if entry else ""
        values = {":partition": {"S": partition}, **({":entry": {"S": entry}} if entry else {})}
        return self._items.query(
            KeyConditionExpression=f"message_id = :partition{one}",
            ExpressionAttributeValues=values,
            ConsistentRead=True,
        )

    def _expires_at(self) -> int:
        return int(self._clock.now()) + LIFETIME


def _contact(row: Mapping[str, Any]) -> Contact:
    return Contact(
        row_id=str(row["entry"]),
        alias=Address.parse(str(row["alias"])),
        address=Address.parse(str(row["address"])),
        name=str(row.get("name", "")),
        used_at=float(row.get("used_at", 0)),
        expires_at=float(row.get("expires_at", 0)),
        is_revoked="revoked_at" in row,
        known=tuple(row.get("known", ())),
    )
