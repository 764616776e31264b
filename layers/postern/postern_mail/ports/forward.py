"""What `forward` needs from outside."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from ..errors import Temporary
from ..mail.address import Address
from ..mail.claims import Claim, ClaimEnd, ClaimRequest, Settled
from ..mail.damper import Echo
from ..mail.dsn import Answer, Silence
from ..mail.envelope import Envelope
from ..mail.message import Halves
from ..mail.outcomes import ClaimState, State
from ..mail.records import dataclass
from ..mail.reply import Reply
from ..mail.rows import Rows, SenderKey
from ..side_by_side import Waiting
from .answers import AnswerLog


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one recipient.

    `reply` is what SMTP would have told the sender, None if the sender is not told; `answer` is what becomes of telling
    it, None if there is nothing to tell. `alias` is the one whose row was found, if any, and `row` the key of that row,
    "" for none. `merged`: keys of the destinations that got it in another recipient's name. `release_at`, epoch
    seconds: it waits until then, and nothing is wrong.
    """

    recipient: Address
    state: State
    reason: str
    reply: Reply | None = None
    answer: Answer | Silence | None = None
    alias: Address | None = None
    merged: tuple[str, ...] = ()
    release_at: int | None = None
    row: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """The ledger's message entry as an invocation finds it.

    `first`: no invocation opened it before. `settled`: keys of the recipients that an earlier delivery of the event
    settled. `due`: whether the sender is still to be told about any of them. `released`: keys of those that a person
    released from quarantine. `reached`: keys of those in whose name a destination got part of the message, or may have.
    `orders`: how often a person ordered the message to run again.
    """

    first: bool
    settled: frozenset[str] = frozenset()
    due: bool = False
    released: frozenset[str] = frozenset()
    reached: frozenset[str] = frozenset()
    orders: int = 0


@dataclass(frozen=True, slots=True)
class Attempts:
    """Earlier attempts of one event of the retry queue: how many were `begun`, and how many of those never recorded an
    end."""

    begun: int = 0
    unfinished: int = 0


class MailStore(Protocol):
    """Where SES puts the messages it receives."""

    def fetch(self, message_id: str) -> bytes:
        """The message as stored. Raises MessageMissing, Unavailable."""

    def begin(self, message_id: str) -> Waiting[bytes]:
        """The same, under way."""


class Tables(Protocol):
    """The alias and the sender table, and the health of destinations."""

    def read(
        self, aliases: Collection[str], senders: Collection[SenderKey], destinations: Collection[str] = ()
    ) -> Rows:
        """The rows under these keys, None for each key without one. Raises Temporary."""


class TablesAhead(Tables, Protocol):
    """Tables that can be read while something else is waited for."""

    def begin(
        self, aliases: Collection[str], senders: Collection[SenderKey], destinations: Collection[str] = ()
    ) -> Waiting[Rows]:
        """`read`, under way."""


class Ledger(Protocol):
    """What became of each recipient and each destination."""

    def open(self, envelope: Envelope) -> Entry:
        """Write the message's entry, open until closed; safe to repeat. Raises Temporary."""

    def begin(self, message_id: str, attempt: str) -> Attempts:
        """Note that an attempt begins, named by its event and its number; returns the event's attempts before it. The
        message has an entry. Raises Temporary."""

    def end(self, message_id: str, attempt: str) -> None:
        """Note that an attempt ended normally. Raises Temporary."""

    def claim(
        self, message_id: str, destination: Address, recipient: Address, others: Collection[str] = ()
    ) -> Claim | Settled:
        """Claim a destination for a recipient, and for others that the same copy serves, by their keys; or return its
        settled state, which is `ambiguous` once SES has not answered for too long. Raises ClaimHeld, Temporary."""

    def claim_all(self, message_id: str, wanted: Sequence[ClaimRequest]) -> Sequence[Claim | Settled | Temporary]:
        """What `claim` would return or raise for each of these, at most `sending.AT_ONCE`; one that cannot be claimed
        does not hold up the others. A claim is `counted` if the items that go along (`Rates.counting`) were written
        with it."""

    def settle(self, claim: Claim, state: ClaimState, detail: str, refusals: Sequence[str] = ()) -> None:
        """Record what became of a claim, and what SES refused on the way. Raises ClaimLost, Temporary.

        `detail` is SES's id, or why it failed.
        """

    def settle_all(self, endings: Sequence[ClaimEnd]) -> Sequence[Temporary | None]:
        """Record what became of these claims of one message; returns what `settle` would raise for each, if
        anything."""

    def suspend(self, message_id: str, destination: Address, recipient: Address, reason: str) -> None:
        """Record that a destination got nothing because it is suspended; it can be claimed later. A claim that ever led
        to a sending stays unchanged. Safe to repeat. Raises Temporary."""

    def close(
        self,
        envelope: Envelope,
        outcomes: Collection[Outcome],
        size: int,
        orders: int = 0,
        notes: Mapping[str, Any] | None = None,
    ) -> frozenset[Address]:
        """Record the outcomes; the message stays open while a recipient is not settled.

        `size` is the message's, in octets, 0 if unknown; `orders` is the number in the entry read; `notes` are the
        result of screening, if any. Returns the recipients whose outcome is now the one given: an outcome settled
        before stays. Raises Temporary.
        """

    def settle_and_close(
        self,
        envelope: Envelope,
        outcomes: Collection[Outcome],
        size: int,
        orders: int,
        notes: Mapping[str, Any] | None,
        endings: Sequence[ClaimEnd],
    ) -> bool:
        """Record what became of these claims, and close the message, as all its recipients are settled. Returns False,
        writing nothing, if anything changed since it was read. Raises Temporary."""


class Mailer(Protocol):
    """SES's sending."""

    def send(self, raw: bytes | Halves, alias: Address, destination: Address, message_id: str) -> str:
        """Send one message to one destination, once; returns SES's id for it.

        Raises Refused if SES will never take it, Unanswered if no answer came, else Temporary.
        """


class Rates(Protocol):
    """Bounds loops that nothing else detects."""

    def note(self, echo: Echo, mark: str) -> Collection[str]:
        """Note a message (`damper.noted`) that comes from one of its alias's destinations; safe to repeat. Returns the
        notes of its kind, as far as they matter. Raises Temporary."""

    def admit(self, destination: Address, sender: str, cap: int, *, by_domain: bool, again: bool = False) -> None:
        """Count one message from a sender's domain (`senders.counted_as`), of `cap` in an hour, 0 for no limit;
        `by_domain`: a domain's row matched. Part of the hour's number is reserved for messages that do not come
        `again`. Raises OverCap if the hour's limit is reached, Temporary."""

    def counting(self, destination: Address, sender: str, cap: int, *, by_domain: bool) -> Sequence[Any]:
        """The items to write with a first claim instead of calling `admit`; there may be none."""

    def begin(self, message_id: str, destination: Address) -> None:
        """Note that a message is in flight to an unproven destination, until feedback or `forgo` removes it; safe to
        repeat. Raises NotYet while many are in flight to the domain, Temporary."""

    def forgo(self, message_id: str, destination: Address) -> None:
        """Remove a message that certainly was not sent. Raises Temporary."""


class Queue(Protocol):
    """The retry queue."""

    def hide(self, receipt: str, seconds: int) -> None:
        """Hide this message for this many seconds. Raises Temporary."""

    def wake(self, event: Mapping[str, Any], release_at: float, now: float) -> None:
        """Deliver an event at that time, or before it: the receiver then asks again. Raises Temporary."""


class MailLog(AnswerLog, Protocol):
    """The log that people read when a message is missing, and the metrics."""

    def received(self, envelope: Envelope, entry: Entry) -> None:
        """Log that a message came in, for the first time or again."""

    def outcome(self, envelope: Envelope, outcome: Outcome, size: int, now: float) -> None:
        """Log and count one recipient's outcome; `size` is the message's, in octets."""

    def sent(self, envelope: Envelope, claim: Claim, size: int, now: float) -> None:
        """Log that SES accepted a message of this many octets for a destination."""

    def resent(self, claim: Claim) -> None:
        """Log that a destination is sent to again after an attempt whose result is unknown: the only case in which it
        may get a second copy."""

    def rescued(self, claim: Claim, form: str) -> None:
        """Log that SES refused a message unchanged and accepted it in another form."""

    def bad_row(self, envelope: Envelope, reason: str) -> None:
        """Log that a recipient waits for a row to be fixed; the reason names it."""

    def thread_lost(self, envelope: Envelope, failure: Temporary) -> None:
        """Log that a reply went out, but its writer's own id could not be stored."""

    def deferred(self, envelope: Envelope, destination: Address, failure: Temporary) -> None:
        """Log a destination that could not be served now, counted under the failure's class's name."""

    def learned(self, envelope: Envelope, alias: str) -> None:
        """Log that a catch-all saw a name for the first time and wrote its row."""

    def not_learned(self, envelope: Envelope, alias: str, failure: Exception) -> None:
        """Log that the row could not be written yet; the message went through."""

    def failure(self, error: Exception) -> None:
        """Log a failure that is about to leave the handler, counted under its class's name."""
