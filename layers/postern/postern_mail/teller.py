"""The hourly watch writes to people: what is new and what is over, in one mail.

If the function is killed after sending and before noting it, the mail is sent again: which of the two happened is
unknown, and nothing may go untold. If two runs find the same thing at once, one tells it: it claims the telling for
longer than the function runs.
"""

from collections.abc import Sequence
from typing import Generic

from .errors import Unavailable
from .examination import Examination, Where_contra
from .mail.records import dataclass
from .ports.clock import Clock
from .ports.telling import Named, Post, TellingLog, ToldBook
from .telling import compare
from .watch_mail import body, subject

CLAIM = 150  # seconds: longer than the function's timeout


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller(Generic[Where_contra]):
    """Runs all examinations, and tells. `domain` and `stack` are their names in the mail."""

    examinations: Sequence[Examination[Where_contra]]
    where: Named[Where_contra]
    book: ToldBook
    post: Post
    clock: Clock
    log: TellingLog
    domain: str
    stack: str

    def run(self) -> None:
        """Examine once, and tell what is due. Raises Temporary; then nothing counts as told."""
        before = self.book.read()
        examined = [one.run(self.where.site, self.where.get) for one in self.examinations]
        telling = compare(before.known, examined, self.clock.now())
        if telling and not self.post.has_subscriber():
            self.log.not_subscribed()  # told once a subscription is confirmed
            return
        if telling:
            if not self.book.claim(before.version, self.clock.now(), CLAIM):
                raise Unavailable("another run of the watch is telling this, or was just killed while doing so")
            self.post.publish(subject(telling, self.domain), body(telling, self.domain, self.stack))
            self.log.told(telling)
        if telling or telling.known != before.known:
            self.book.keep(telling.known, before.version)
