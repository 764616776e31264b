"""The grey hold of messages: which recipients wait, and until when. Rows say when similar mail first came.

A held message is screened again when its hold ends, from the stored message and with fresh DNS answers.
"""

from collections.abc import Callable, Collection
from datetime import UTC, datetime

from .errors import Misconfigured
from .mail import greylist
from .mail.days import A_DAY
from .mail.envelope import Envelope
from .mail.greylist import Whitelist
from .mail.plan import Decision, Forward, GreyHold
from .mail.records import dataclass
from .mail.restrictions import Who
from .mail.rows import BadRow, Rows
from .mail.settings import Settings
from .ports.screening import GreyBook

_WHY = "nothing authenticates it, and no such mail came before"


@dataclass(frozen=True, slots=True)
class Greylisting:
    """Decides which recipients wait."""

    book: GreyBook

    def held(
        self,
        decisions: Collection[Decision],
        envelope: Envelope,
        who: Who,
        settings: Settings,
        now: float,
        never: Callable[[Forward], bool],
    ) -> tuple[Decision, ...]:
        """The decisions, with a hold in place of each forward that is too early; `never` says which forwards a
        whitelist exempts. Raises Temporary."""
        keep = settings.greylist_max_age * A_DAY
        client = greylist.client_word(who.client)
        passes, held = False, dict[Forward, GreyHold]()
        for one in decisions:
            if not isinstance(one, Forward) or one.excused or never(one):
                continue
            word = greylist.triplet(who.client, envelope.source, one.recipient)
            release_at = self.book.first_seen(word, now, keep) + settings.greylist_delay
            if release_at <= now:
                passes = True
            else:
                held[one] = _hold(one, release_at)
        most = settings.greylist_auto_whitelist_clients
        if passes and client and most:
            self.book.passed(client, now, keep)
        if held and client and most and self.book.passes(client, now) >= most:
            return tuple(decisions)
        return tuple(held.get(one, one) if isinstance(one, Forward) else one for one in decisions)


def client_whitelist(rows: Rows) -> Whitelist:
    """The owner's whitelist of clients. Raises Misconfigured if it cannot be parsed."""
    return _whitelist(rows, greylist.CLIENTS_KEY, Whitelist.clients)


def recipient_whitelist(rows: Rows) -> Whitelist:
    """The owner's whitelist of recipients, with those that Postgrey never holds. Raises Misconfigured if it cannot be
    parsed."""
    return _whitelist(rows, greylist.RECIPIENTS_KEY, lambda lines: Whitelist.recipients((*greylist.NEVER_HELD, *lines)))


def _whitelist(rows: Rows, key: str, read: Callable[[Collection[str]], Whitelist]) -> Whitelist:
    found: Whitelist | None = rows.understood.get(key)
    if found is None:
        try:
            found = read(greylist.lines_of(rows.aliases.get(key), key))
        except BadRow as fault:
            raise Misconfigured(str(fault)) from fault
        except ValueError as fault:
            raise Misconfigured(f"aliases row {key!r}: {fault}") from fault
        rows.understood[key] = found
    return found


def _hold(one: Forward, release_at: float) -> GreyHold:
    until = datetime.fromtimestamp(release_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return GreyHold(one.recipient, f"grey hold until {until}: {_WHY}", int(-(-release_at // 1)), alias=one.alias)
