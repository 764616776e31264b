"""Limits on messages per hour to a destination, by sender's domain and by catch-alls: counters in the ledger's table.

A loop without a stamp, such as a robot that writes a new message each time, ends at the cap.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import NotYet, OverCap
from ...mail.address import Address
from ...mail.brake import SILENCE, UNCONFIRMED, domain_key
from ...mail.damper import KEPT, Echo, outdated
from ...ports.clock import Clock
from ..items import Items, Update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ECHO = "echo:"  # partitions of the ledger: mail to an alias from its own destinations
UNPROVEN = "unproven:"  # partitions of the ledger: messages in flight to unproven destinations of a domain
RATE = "rate:"  # partitions of the ledger: how many messages a destination has had
OUT = "out"  # the only entry there
ALL = "*"  # instead of a sender: all mail through catch-alls
_SHARE = 3
_FOR_NEW = 4  # a quarter of the hour's number is reserved for new mail: retries come after it
_HOUR = 3600
_ROOM = "attribute_not_exists(#out) OR size(#out) < :most"
_MOST = 100  # in flight to a domain where one after the other arrived
_KEPT = 48 * _HOUR  # seconds a counter is kept, for inspection


class DynamoRates:
    """One counter for each destination, sender's domain and hour."""

    def __init__(self, client: "DynamoDBClient", table: str, *, clock: Clock) -> None:
        self._items = Items(client, table)
        self._clock = clock

    def admit(self, destination: Address, sender: str, cap: int, *, by_domain: bool, again: bool = False) -> None:
        """Count one message, if there is a cap. Raises OverCap if the hour's limit is reached, Temporary.

        Mail that a domain's row matches is counted by destination too, and no sender may use more than a third of that.
        """
        for one in self._counted(destination, sender, cap, by_domain=by_domain, again=again):
            done, _ = self._items.update(
                "DynamoDB UpdateItem (rate)", one.key, one.expression, one.values, condition=one.condition
            )
            if not done:
                whom, who = one.key["message_id"].removeprefix(RATE), one.key["entry"].rpartition(" ")[0]
                raise OverCap(f"{whom} has had {one.values[':cap']} messages from {who} within this hour")

    def counting(self, destination: Address, sender: str, cap: int, *, by_domain: bool) -> Sequence[Update]:
        """What `admit` writes for a message's first attempt, to be written with its claim."""
        return tuple(self._counted(destination, sender, cap, by_domain=by_domain, again=False))

    def _counted(
        self, destination: Address, sender: str, cap: int, *, by_domain: bool, again: bool
    ) -> Iterator[Update]:
        if not cap:
            return
        whom, cap = destination.untagged.key, cap - cap // _FOR_NEW if again else cap
        yield self._count(whom, sender or "<>", -(-cap // _SHARE) if by_domain else cap)
        if by_domain:
            yield self._count(whom, ALL, cap)

    def _count(self, whom: str, sender: str, cap: int) -> Update:
        now = int(self._clock.now())
        return Update(
            {"message_id": f"{RATE}{whom}", "entry": f"{sender} {now // _HOUR * _HOUR}"},
            "SET expires_at = :expires_at ADD messages :one",
            {":one": 1, ":cap": cap, ":expires_at": now + _KEPT},
            "attribute_not_exists(messages) OR messages < :cap",
        )

    def note(self, echo: Echo, mark: str) -> Collection[str]:
        """Note a message, unless so many are noted that it is one too many in any case."""
        now = self._clock.now()
        key = {"message_id": f"{ECHO}{echo.alias.key}", "entry": f"{echo.whom} {echo.what}"}
        values = {":one": {mark}, ":expires_at": int(now) + _KEPT, ":most": KEPT}
        for _ in range(2):
            noted, found = self._items.update(
                "DynamoDB UpdateItem (echo)",
                key,
                "SET expires_at = :expires_at ADD seen :one",
                values,
                condition="attribute_not_exists(seen) OR size(seen) < :most",
                returning="ALL_NEW",
            )
            seen: set[str] = found.get("seen", set())
            if noted or not (old := outdated(seen, now)):
                break
            self._items.update("DynamoDB UpdateItem (echo)", key, "DELETE seen :old", {":old": old})
        return seen

    def begin(self, message_id: str, destination: Address) -> None:
        """Note a message in flight; each that arrived since the last bounce makes room for one more. Raises NotYet.

        Messages without feedback for an hour no longer count.
        """
        one, now = out(message_id, destination.key), int(self._clock.now())
        noted, found = self._begin(
            destination, one, now, "attribute_not_exists(#out) OR size(#out) < :most", UNCONFIRMED
        )
        if noted or one in found.get(OUT, ()):
            return
        most = min(UNCONFIRMED + int(found.get("arrived", 0)), _MOST)
        if len(found.get(OUT, ())) < most:
            noted, _ = self._begin(destination, one, now, "size(#out) < :most", most)
        elif int(found.get("begun_at", 0)) < now - SILENCE:
            noted, _ = self._items.update(
                "DynamoDB UpdateItem (unproven)",
                {"message_id": f"{UNPROVEN}{domain_key(destination.key)}", "entry": OUT},
                "SET #out = :one, begun_at = :now, expires_at = :expires_at",
                {":one": {one}, ":now": now, ":expires_at": now + _KEPT, ":silent": now - SILENCE},
                condition="begun_at < :silent",
            )
        if not noted:
            raise NotYet(f"{UNCONFIRMED} messages to {destination.domain} to where none arrived yet are out")

    def _begin(
        self, destination: Address, one: str, now: int, condition: str, most: int
    ) -> tuple[bool, dict[str, Any]]:
        return self._items.update(
            "DynamoDB UpdateItem (unproven)",
            {"message_id": f"{UNPROVEN}{domain_key(destination.key)}", "entry": OUT},
            "SET begun_at = :now, expires_at = :expires_at ADD #out :one",
            {":one": {one}, ":now": now, ":expires_at": now + _KEPT, ":most": most},
            condition=condition,
        )

    def forgo(self, message_id: str, destination: Address) -> None:
        """Remove a message that was not sent. Raises Temporary."""
        self._items.update(
            "DynamoDB UpdateItem (unproven)",
            {"message_id": f"{UNPROVEN}{domain_key(destination.key)}", "entry": OUT},
            "DELETE #out :one",
            {":one": {out(message_id, destination.key)}},
        )


def out(message_id: str, destination: str) -> str:
    """The note for a message in flight."""
    return f"{message_id} {destination}"
