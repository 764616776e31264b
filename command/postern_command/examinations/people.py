"""Who hears of what goes wrong. What needs no person is shared with the hourly watch (aws.watch.examinations)."""

from collections.abc import Iterator

from postern_mail.aws.watch import looking
from postern_mail.examination import Examination, Finding

from ..stack import Stack


def _listeners(where: Stack) -> Iterator[Finding]:
    owner = where.get("owner") or ""
    if owner.rpartition("@")[2].lower() in where.domains:
        yield Finding(
            f"{owner} hears of trouble by way of Postern itself", "deploy with a mailbox outside of our domains"
        )
    if not looking.is_heard(where["alarm_topic"]):
        yield Finding(
            "the alarms reach no one", "confirm the mail from AWS, or subscribe to the topic again if it is gone"
        )


EXAMINATIONS: tuple[Examination[Stack], ...] = (
    Examination("People", "who is told", _listeners, ("alarm_topic", "domains")),
)
