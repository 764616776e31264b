"""Whether alarms reach the owner. Other examinations are shared with the hourly watch (aws.watch.examinations)."""

from collections.abc import Iterator

from postern_mail.aws.watch import looking
from postern_mail.examination import Examination, Finding

from ..stack import Stack


def _listeners(where: Stack) -> Iterator[Finding]:
    owner = where.get("owner") or ""
    if owner.rpartition("@")[2].lower() in where.domains:
        yield Finding(f"alarms reach {owner} only through Postern itself", "deploy with a mailbox outside our domains")
    if not looking.has_subscriber(where["alarm_topic"]):
        yield Finding(
            "the alarms reach no one", "confirm the mail from AWS; if it is gone, subscribe to the topic again"
        )


EXAMINATIONS: tuple[Examination[Stack], ...] = (
    Examination("People", "who is told", _listeners, ("alarm_topic", "domains")),
)
