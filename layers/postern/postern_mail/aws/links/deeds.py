"""The actions of links, by the same orders as the command's, and by writes that the function's role permits.

The role may set `enabled` of an alias and no other attribute that affects mail, and write sender rules that have
`reject` and no `action`: anyone who takes over the function can stop mail, but cannot redirect any.
"""

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from ...errors import Overtaken
from ...mail.link import BY, Link
from ...mail.link_pages import Done, rule
from ...mail.orders import CannotOrder, release
from ...mail.rows import MADE_BY
from ...mail.senders import EVERYWHERE
from ...ports.clock import Clock
from ...ports.links import Entries
from ..attributes import row
from ..destinations import DynamoDestinations
from ..failures import translated
from ..forward.mail_store import S3MailStore
from ..items import Items
from ..reopening import Reopening
from ..watch.backlog import Backlog

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FILE_NAME = "message.eml"
SECONDS = 300  # for which the URL of a message works
_OFF = "SET enabled = :off, updated_at = :now, updated_by = :by"
_TYPED = f"attribute_exists(address) AND (attribute_not_exists({MADE_BY}) OR {MADE_BY} <> :by)"


class AwsDeeds:
    """The actions of links, on AWS."""

    def __init__(
        self,
        client: "DynamoDBClient",
        tables: Mapping[str, str],
        *,
        store: S3MailStore,
        retries: Backlog,
        clock: Clock,
    ) -> None:
        """`tables` are the names of the tables, under the keys ledger, aliases, senders and destinations."""
        self._client = client
        self._senders = tables["senders"]
        self._aliases = Items(client, tables["aliases"])
        self._destinations = DynamoDestinations(client, tables["destinations"], clock)
        self._reopening = Reopening(client, tables["ledger"], clock=clock, by=BY)
        self._store = store
        self._retries = retries
        self._clock = clock

    def release(self, link: Link, entries: Entries) -> Done:
        """See Deeds."""
        undo = "A forwarded message cannot be recalled. To hold the next such mail: postern sender add SENDER HOLD"
        try:
            order = release(entries, [link.who])
        except CannotOrder as fault:
            return Done(f"Nothing was done: {fault}.", f"postern trace {link.message_id}")
        self._store.top(link.message_id)
        event = self._reopening.open(link.message_id, entries, order, release=True)
        self._retries.put_event(event, BY)
        return Done(f"The message is released for {link.who}: it is forwarded in a moment.", undo)

    def block(self, link: Link) -> Done:
        """See Deeds."""
        undo = f"To undo it: postern sender remove {shlex.quote(link.who)}"
        texts = {"sender": link.who, "scope": EVERYWHERE, "reject": "", MADE_BY: BY, "updated_by": BY}
        item: Any = {name: {"S": text} for name, text in texts.items()}
        done = Done(f"{link.who} is blocked, by the sender rule {rule(link.who)} for all aliases.", undo)
        item["updated_at"] = {"N": str(int(self._clock.now()))}
        with translated("DynamoDB PutItem (senders)"):
            try:
                self._client.put_item(
                    TableName=self._senders,
                    Item=item,
                    ConditionExpression="attribute_not_exists(sender)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except self._client.exceptions.ConditionalCheckFailedException as refused:
                there = row(cast("Mapping[str, Any]", refused.response.get("Item", {})))
                if there.get(MADE_BY) == BY and "reject" in there:  # written before, and the answer was lost
                    return done
                return Done(
                    f"Nothing was done: there is a sender rule for {link.who} already.",
                    f"postern sender list {shlex.quote(link.who)}",
                )
        return done

    def off(self, link: Link) -> Done:
        """See Deeds. An address without a row, matched by a less specific one, gets a row that is off."""
        said, typed = f"{link.who} is switched off: mail to it is rejected.", shlex.quote(link.who)
        values = {":off": False, ":now": int(self._clock.now()), ":by": BY}
        for update, condition, verb in (
            (_OFF, _TYPED, "enable"),
            (f"{_OFF}, {MADE_BY} = :by", f"attribute_not_exists(address) OR {MADE_BY} = :by", "remove"),
        ):
            done, _ = self._aliases.update(
                "DynamoDB UpdateItem (aliases)", {"address": link.who}, update, values, condition=condition
            )
            if done:
                return Done(said, f"To undo it: postern alias {verb} {typed}")
        raise Overtaken(f"alias {link.who} was added or removed meanwhile")

    def resume(self, link: Link) -> Done:
        """See Deeds."""
        if self._destinations.resume(link.who, BY) is None:
            return Done(f"{link.who} is not suspended: it gets mail.", "postern destination list")
        return Done(
            f"{link.who} gets new mail again.",
            "It is suspended again when mail to it bounces; nothing else undoes this. To send what it missed:"
            f" postern destination redeliver {shlex.quote(link.who)}",
        )

    def fetch(self, link: Link) -> Done:
        """See Deeds."""
        self._store.top(link.message_id)
        return Done(
            "The message can be saved for 5 minutes; after that, press the button on the previous page again.",
            "It is as its sender sent it, and has not been checked: open it with a mail program.",
            self._store.address(link.message_id, FILE_NAME, SECONDS),
        )
