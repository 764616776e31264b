"""What `forward` asks of the world."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from ..errors import Temporary
from ..mail.address import Address
from ..mail.claims import Claim, Ending, Settled, Wanted
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

    `reply` is what SMTP would have said to the sender, None if that is nobody's business; `answer` what becomes of
    telling it, None if there is nothing to tell. `alias` is the one whose row was found, if any, and `row` the key of
    that row, "" for none. `merged`: keys of the
    destinations that got it in another recipient's name. `release_at`, epoch seconds: it waits until then, and nothing
    is wrong.
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

    `first`: nobody opened it before. `settled`: keys of the recipients that an earlier delivery
    of the event has settled. `due`: whether the sender is still to be told of any of them. `released`: keys of
    those whose quarantine somebody has lifted. `reached`: keys of those in whose name a destination got something, or
    may have. `orders`: how often a person ordered the message to run again.
    """

    first: bool
    settled: frozenset[str] = frozenset()
    due: bool = False
    released: frozenset[str] = frozenset()
    reached: frozenset[str] = frozenset()
    orders: int = 0


@dataclass(frozen=True, slots=True)
class Attempts:
    """Attempts of one event of the retry queue before this one: how many were `begun`, and how many of those never
    said how they ended."""

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
        """Note that an attempt begins, named by its event and its number; those of the same event before it. The
        message has an entry. Raises Temporary."""

    def end(self, message_id: str, attempt: str) -> None:
        """Note that an attempt ended, and not by force. Raises Temporary."""

    def claim(
        self, message_id: str, destination: Address, recipient: Address, others: Collection[str] = ()
    ) -> Claim | Settled:
        """Claim a destination for a recipient, and for others whom the same copy serves, by their keys; or learn that
        it is settled; it is `ambiguous` once SES has not
        answered for so long that nobody should wait any more. Raises ClaimHeld, Temporary."""

    def claim_all(self, message_id: str, wanted: Sequence[Wanted]) -> Sequence[Claim | Settled | Temporary]:
        """What `claim` would return or raise for each of these, at most `sending.AT_ONCE`; one that cannot be had holds
        up no other. A claim is `counted` if what goes along (`Rates.counting`) was written with it."""

    def settle(self, claim: Claim, state: ClaimState, detail: str, refusals: Sequence[str] = ()) -> None:
        """Say what became of a claim, and what SES refused on the way. Raises ClaimLost, Temporary.

        `detail` is SES's id, or why not.
        """

    def settle_all(self, endings: Sequence[Ending]) -> Sequence[Temporary | None]:
        """Say what became of these claims, of one message; what `settle` would raise for each, if anything."""

    def suspend(self, message_id: str, destination: Address, recipient: Address, reason: str) -> None:
        """Say that a destination got nothing because it is suspended; it can be claimed later. A claim
        that ever led to a sending stays as it is. Safe to repeat. Raises Temporary."""

    def close(
        self,
        envelope: Envelope,
        outcomes: Collection[Outcome],
        size: int,
        orders: int = 0,
        notes: Mapping[str, Any] | None = None,
    ) -> frozenset[Address]:
        """Record the outcomes; the message stays open while a recipient is not settled.

        `size` is the message's, in octets, 0 if nobody looked; `orders` is the number the entry had; `notes` are what
        screening found out, if it asked. Returns the recipients whose outcome is now as it is here: one that was
        settled before stays. Raises Temporary.
        """

    def settle_and_close(
        self,
        envelope: Envelope,
        outcomes: Collection[Outcome],
        size: int,
        orders: int,
        notes: Mapping[str, Any] | None,
        endings: Sequence[Ending],
    ) -> bool:
        """Say what became of these claims, and close the message, as all its recipients are settled: all of it, or
        nothing and False, where anything is not as it was read. Raises Temporary."""


class Mailer(Protocol):
    """SES, sending."""

    def send(self, raw: bytes | Halves, alias: Address, destination: Address, message_id: str) -> str:
        """Send one message to one destination, once; returns SES's id for it.

        Raises Refused if SES will never take it, Unanswered if no answer came, else Temporary.
        """


class Rates(Protocol):
    """What bounds a loop that nothing else sees."""

    def note(self, echo: Echo, mine: str) -> Collection[str]:
        """Note a message (`damper.noted`) that comes from where its alias leads; safe to repeat. Returns what is noted
        of its kind, as far as that matters. Raises Temporary."""

    def admit(self, destination: Address, sender: str, cap: int, *, by_domain: bool, again: bool = False) -> None:
        """Count one message from a sender's domain (`senders.counted_as`), of `cap` in an hour, 0 for no limit;
        `by_domain`: a domain's row answered for it. A part of the hour is kept for what does not come `again`.
        Raises OverCap once an hour has had its fill, Temporary."""

    def counting(self, destination: Address, sender: str, cap: int, *, by_domain: bool) -> Sequence[Any]:
        """What goes along with a first claim in the place of `admit`; there may be nothing."""

    def begin(self, message_id: str, destination: Address) -> None:
        """Note that a message goes out to an unproven destination, until feedback or `forgo` takes that back; safe to
        repeat. Raises NotYet while many are out to the domain, Temporary."""

    def forgo(self, message_id: str, destination: Address) -> None:
        """It did not go out, for certain. Raises Temporary."""


class Queue(Protocol):
    """The retry queue."""

    def hide(self, receipt: str, seconds: int) -> None:
        """Let nobody see this message for so long. Raises Temporary."""

    def wake(self, event: Mapping[str, Any], release_at: float, now: float) -> None:
        """Bring an event back at that time, or before it: whoever gets it asks again. Raises Temporary."""


class MailLog(AnswerLog, Protocol):
    """The log that people read when a message is missing, and the metrics."""

    def received(self, envelope: Envelope, entry: Entry) -> None:
        """A message came in, for the first time or again."""

    def outcome(self, envelope: Envelope, outcome: Outcome, size: int, now: float) -> None:
        """One line and one count for one recipient; `size` is the message's, in octets."""

    def sent(self, envelope: Envelope, claim: Claim, size: int, now: float) -> None:
        """SES took a message of so many octets for a destination."""

    def resent(self, claim: Claim) -> None:
        """A destination is sent to again after an attempt whose end nobody knows: the one case
        in which a copy can be a second one."""

    def rescued(self, claim: Claim, form: str) -> None:
        """SES refused a message as it is and took it in another form."""

    def bad_row(self, envelope: Envelope, reason: str) -> None:
        """A recipient waits for a row to be mended; the reason names it."""

    def thread_lost(self, envelope: Envelope, failure: Temporary) -> None:
        """A reply went out, and it could not be remembered what its writer calls it."""

    def deferred(self, envelope: Envelope, destination: Address, failure: Temporary) -> None:
        """A destination that could not be served now, counted under the failure's class's name."""

    def learned(self, envelope: Envelope, alias: str) -> None:
        """A catch-all saw a name for the first time, and it has a row now."""

    def not_learned(self, envelope: Envelope, alias: str, failure: Exception) -> None:
        """It has none yet; the message is through."""

    def failure(self, error: Exception) -> None:
        """A failure that is about to leave the handler, counted under its class's name."""
