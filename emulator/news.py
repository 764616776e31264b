"""The outcome for each recipient, as in `postern log`, as soon as the ledger has it."""

from collections.abc import Iterator

from postern_command.log import COLUMNS, lines_of, recipients_of
from postern_command.output.columns import Columns
from postern_mail.aws.forward.answer_entries import MESSAGE
from postern_mail.aws.watch.history import History
from postern_mail.mail.afterwards import Later
from postern_mail.mail.outcomes import State
from postern_mail.mail.visible import visible

from .cloud import Cloud
from .sending.maildirs import Maildirs
from .sending.refusals import header_end
from .stream import Stream


class News:
    """Prints each recipient's outcome once, and again when it changes, but not the arrival of a forward, which
    `Arrivals` prints. For this the ledger gets a stream, which it does not have in a real stack."""

    def __init__(self, cloud: Cloud, ledger: str) -> None:
        specification = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
        cloud.dynamodb.update_table(TableName=ledger, StreamSpecification=specification)  # type: ignore[arg-type]
        self._stream = Stream(cloud, ledger)
        self._history = History(cloud.dynamodb, ledger)
        self._columns = Columns(COLUMNS)
        self._told: dict[tuple[str, str], tuple[str, ...]] = {}

    def lines(self) -> Iterator[str]:
        """The new outcomes, without control characters; pending recipients are left out."""
        written = (record["dynamodb"]["Keys"]["message_id"]["S"] for record in self._stream.new())
        for message_id in dict.fromkeys(written):
            entries = self._history.entries(message_id)
            for row in recipients_of(entries.get(MESSAGE, {}), entries):
                said = tuple(lines_of(row, self._columns))
                who = message_id, row["recipient"]
                arrived = who in self._told and row["later"] == Later.DELIVERED
                if row["state"] != State.PENDING and self._told.get(who) != said and not arrived:
                    self._told[who] = said
                    yield from map(visible, said)


class Arrivals:
    """Prints what arrives in the Maildirs from now on."""

    def __init__(self, maildirs: Maildirs) -> None:
        self._maildirs = maildirs
        self._counts = {who: maildirs.count(who) for who in maildirs.everybody()}

    def lines(self) -> Iterator[str]:
        """The new arrivals, without control characters; a report to a sender is not called a delivery."""
        for who in self._maildirs.everybody():
            count, before = self._maildirs.count(who), self._counts.get(who, 0)
            self._counts[who] = count
            for raw in self._maildirs.messages(who)[before:count] if count > before else ():
                header = raw[: header_end(raw)]
                what = "reported" if b"Return-Path: <>" in header else "delivered"
                yield visible(f"{what} to {who}: {self._maildirs.path(who)}")
