"""The ledger as feedback writes it: attributes of its own in the `via:` entries, and never `state`.

A tag identifies an entry only by its digest, so all entries of the message are read and compared. The claim was written
before the message was sent: a missing entry has expired, or was never ours.
"""

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ...errors import EntryMissing
from ...mail.brake import domain_key
from ...mail.days import A_DAY
from ...mail.digest import HOST_LOST, LOST, SENT_AS_LOST
from ...mail.envelope import Envelope
from ...mail.feedback import Feedback, HostMail, contradicts
from ...mail.health import known_sender
from ...mail.receipt import kept_event
from ...mail.send_as import SentAs
from ...mail.tags import entry_tag
from ...ports.clock import Clock
from ...ports.feedback import Sending
from ..attributes import row
from ..failures import translated
from ..forward.answer_entries import MESSAGE
from ..forward.ledger import HOSTS
from ..forward.rates import OUT, UNPROVEN, out
from ..items import Items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEEP_HOSTS = 14 * A_DAY  # seconds; the digest covers three days
MOST_LOSSES = 5_000  # destinations of one message that are distinguished: 80 KB
MAX_ENTRY = 600  # characters; DynamoDB allows 1,024 octets in a sort key


class DynamoFeedbackLedger:
    """The ledger in DynamoDB."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock, tag_key: bytes) -> None:
        self._client = client
        self._table = table
        self._items = Items(client, table)
        self._clock = clock
        self._tag_key = tag_key

    def note(self, feedback: Feedback) -> Sending | None:
        """Record an event in the entry it is about; None if the entry knows SES's ids and this is not one of them.

        Of several events of one kind the latest by SES's clock is kept, in whatever order they come; but an
        out-of-office reply, which SES reports as a bounce, does not replace a real loss. Raises EntryMissing,
        Temporary.
        """
        claim, sender = self._claim(feedback)
        if contradicts(claim, feedback.ses_id):
            return None
        entry = claim["entry"]
        kind, said = f"#{feedback.kind}", {"at": feedback.at, "id": feedback.id, "why": feedback.why}
        if feedback.is_lost:
            said["lost"] = True
        earlier = f"({kind}.#at < :at OR ({kind}.#at = :at AND {kind}.#id < :id))"
        replaced = f"attribute_not_exists({kind}.#lost) {'OR' if feedback.is_lost else 'AND'} {earlier}"
        news, _ = self._items.update(
            "DynamoDB UpdateItem (via)",
            {"message_id": feedback.message_id, "entry": entry},
            f"SET {kind} = :said",
            {":said": said, ":at": feedback.at, ":id": feedback.id},
            condition=f"attribute_exists(entry) AND (attribute_not_exists({kind}) OR {replaced})",
        )
        alias, replier = str(claim.get("alias", "")), str(claim.get("replier", ""))
        return Sending(entry.removeprefix("via:"), claim["recipient"], news, sender, alias, replier)

    def note_host(self, mail: HostMail) -> bool:
        """Write an entry for each recipient in the hosts' partition. Raises Temporary."""
        return self._note_lost(mail, mail.sender, HOST_LOST)

    def note_sent_as(self, mail: SentAs) -> bool:
        """The same, in the same partition. Raises Temporary."""
        return self._note_lost(mail, str(mail.address), SENT_AS_LOST)

    def _note_lost(self, mail: HostMail | SentAs, source: str, word: str) -> bool:
        now = int(self._clock.now())
        said = {":now": now, ":expires": now + KEEP_HOSTS, ":source": source, ":kind": mail.kind, ":word": word}
        news = [
            self._items.update(
                "DynamoDB UpdateItem (hosts)",
                {"message_id": HOSTS, "entry": f"{mail.id} {mail.kind} {recipient}"[:MAX_ENTRY]},
                "SET noted_at = :now, expires_at = :expires, #source = :source, #kind = :kind, #word = :word,"
                " who = :who, why = :why",
                {**said, ":who": recipient, ":why": why},
                condition="attribute_not_exists(entry)",
            )[0]
            for recipient, why in mail.lost
        ]
        return any(news)

    def feedback_came(self, message_id: str, destination: str, *, arrived: bool) -> None:
        """Remove it from the messages in flight to the domain. Raises Temporary."""
        one = out(message_id, destination)
        self._items.update(
            "DynamoDB UpdateItem (unproven)",
            {"message_id": f"{UNPROVEN}{domain_key(destination)}", "entry": OUT},
            f"{'ADD arrived :n' if arrived else 'SET arrived = :n'} DELETE #out :one",
            {":one": {one}, ":that": one, ":n": 1 if arrived else 0},
            condition="contains(#out, :that)",
        )

    def lost(self, message_id: str, recipient: str, destination: str) -> Envelope | None:
        """Note on the message that a recipient's forward did not arrive, again for each destination, of which some
        thousand are remembered. Returns the message's envelope for that recipient, None if the ledger has none. Raises
        Temporary."""
        one = sha256(destination.encode()).hexdigest()[:12]  # an item holds 400 KB, and groups may be large
        _, entry = self._items.update(
            "DynamoDB UpdateItem (message)",
            {"message_id": message_id, "entry": MESSAGE},
            "SET noted_at = :now ADD noted :noted, losses :destinations",
            {
                ":now": int(self._clock.now()), ":noted": {f"{LOST} {recipient}"}, ":one": f"{LOST} {recipient}",
                ":destinations": {one}, ":destination": one, ":most": MOST_LOSSES,
            },
            condition="attribute_exists(entry) AND (attribute_not_exists(losses) OR NOT contains(noted, :one)"
            " OR (size(losses) < :most AND NOT contains(losses, :destination)))",
            returning="ALL_NEW",
        )  # fmt: skip
        return Envelope.from_event(kept_event(message_id, entry, [recipient])) if entry else None

    def _claim(self, feedback: Feedback) -> tuple[dict[str, Any], str]:
        """(the claim that the event is about, the message's sender)."""
        sender = known_sender({})
        with translated("DynamoDB Query (ledger)"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="message_id = :id AND entry BETWEEN :message AND :last",
                ExpressionAttributeValues={
                    ":id": {"S": feedback.message_id}, ":message": {"S": MESSAGE}, ":last": {"S": "via;"},
                },
                ProjectionExpression="entry, recipient, #source, verdicts, #state, ses_ids, id_unknown, #alias,"
                " replier",
                ExpressionAttributeNames={"#source": "source", "#state": "state", "#alias": "alias"},
                ConsistentRead=True,
            )  # fmt: skip
            for item in (row(one) for page in pages for one in page["Items"]):
                if item["entry"] == MESSAGE:  # sorts before all others of its message
                    sender = known_sender(item)
                elif item["entry"].startswith("via:") and self._tag(item["entry"], feedback) == feedback.destination:
                    return item, sender
        raise EntryMissing(f"message {feedback.message_id}: no entry via: has the tag {feedback.destination}")

    def _tag(self, entry: str, feedback: Feedback) -> str:
        return entry_tag(self._tag_key, feedback.message_id, entry)
