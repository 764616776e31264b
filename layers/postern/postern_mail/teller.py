"""The hourly watch writes to people: what is new, and what is over, in one mail.

A mail that was sent and not noted, because the function was killed between the two, is sent again: nobody knows which
of the two it was, and nothing may stay untold. What two runs find at once is told by one: it claims the telling, for
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
    """Looks at everything, and tells. `domain` and `stack` are what the mail calls them."""

    examinations: Sequence[Examination[Where_contra]]
    where: Named[Where_contra]
    book: ToldBook
    post: Post
    clock: Clock
    log: TellingLog
    domain: str
    stack: str

    def run(self) -> None:
        """Look once, and tell what is to be told. Raises Temporary; then nothing counts as told."""
        before = self.book.read()
        examined = [one.run(self.where.site, self.where.get) for one in self.examinations]
        telling = compare(before.known, examined, self.clock.now())
        if telling and not self.post.is_heard():
            self.log.unheard()  # told once somebody has confirmed the subscription
            return
        if telling:
            if not self.book.claim(before.version, self.clock.now(), CLAIM):
                raise Unavailable("another run of the watch is telling this, or was killed at it a moment ago")
            self.post.publish(subject(telling, self.domain), body(telling, self.domain, self.stack))
            self.log.told(telling)
        if telling or telling.known != before.known:
            self.book.keep(telling.known, before.version)
