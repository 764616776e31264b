"""`postern redrive`: move dead letters back to the retry queue, except those whose message has expired.

SQS can move a whole queue but cannot choose, so each letter is examined, put on the retry queue, and then deleted
from the dead-letter queue. If that is interrupted, a letter is on both queues, which does no harm: what is settled is
not done again. On the retry queue it counts as new and is retried for the full time again, within the lifetimes of the
stored object and the ledger (docs/operating.md).
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from postern_mail.errors import MessageMissing
from postern_mail.mail.days import moment
from postern_mail.mail.envelope import BadEvent, Envelope

from .ids import full_id
from .options import DryRunOption, JsonOption, StackOption
from .output.terminal import printer
from .stack import Stack
from .status import exits, refuse_any

if TYPE_CHECKING:
    from postern_mail.aws.forward.mail_store import S3MailStore
    from postern_mail.aws.watch.backlog import Letter


def redrive(
    message_ids: Annotated[list[str] | None, typer.Argument(metavar="[ID...]", help="Only these messages.")] = None,
    stack: StackOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put dead letters back on the retry queue, once you have fixed what stopped them.

    A letter stays if its message has expired in the bucket, or if it is not an SES event. Exit status 1 if any stays,
    naming each, or if there is no dead letter for a message you named. Read the errors first: `postern trace ID` shows
    them.
    """
    faults: list[str] = []
    with exits():
        where, say = Stack.find(stack), printer()
        asked = {full_id(where, one) for one in message_ids or ()}
        dead, retries, store = where.queue("dead_letters"), where.queue("retry_queue"), where.bucket
        staying: list[Letter] = []
        about: set[str] = set()
        for letter in dead.take():
            found = look(letter, store)
            about.add(found.message_id)
            wanted = not asked or found.message_id in asked
            if found.fault and wanted:
                faults.append(
                    f"stays: {found.message_id or 'unknown'}, first failed {moment(letter.sent_at)}: {found.fault}"
                )
            if found.fault or not wanted or dry_run:
                staying.append(letter)
            else:
                retries.put(letter.body)
                dead.remove(letter)
            if wanted and not found.fault:
                told = (
                    f"{found.message_id}  {'would go' if dry_run else 'goes'} back, for {', '.join(found.recipients)}"
                )
                line = json.dumps({"message_id": found.message_id, "recipients": found.recipients}) if as_json else told
                say(line, None)
        for letter in staying:
            dead.show(letter)
        faults += [f"there is no dead letter for message {one}" for one in sorted(asked - about)]
        if not about and not asked and not as_json:
            typer.echo("there are no dead letters", err=True)
    refuse_any(faults)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """The message and recipients of a dead letter; `fault` says why it cannot go back."""

    message_id: str = ""
    recipients: tuple[str, ...] = ()
    fault: str = ""


def look(letter: "Letter", store: "S3MailStore") -> DeadLetter:
    """Read a dead letter, and check that its message is still stored. Raises Temporary; a missing message is a
    `fault`."""
    try:
        record: Any = json.loads(letter.body)
        envelope = Envelope.from_event(record.get("requestPayload", record) if isinstance(record, dict) else record)
    except (BadEvent, ValueError) as fault:
        return DeadLetter(fault=str(fault))
    recipients = (*map(str, envelope.recipients), *envelope.unreadable)
    try:
        store.top(envelope.message_id)
    except MessageMissing as fault:
        return DeadLetter(envelope.message_id, recipients, f"it has expired: {fault}")
    return DeadLetter(envelope.message_id, recipients)
