"""The way of a message: envelope, ledger, fetch, look-up, plan, rewrite, send, record, answer.

Decisions are made in `mail`, the outside world is behind `ports`; this module holds the order of the steps and what
happens when one fails. docs/way-of-a-message.md describes the same on one page.
"""

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from .answer_senders import Answering
from .deliver import Delivered, Deliverer
from .errors import Misconfigured, Temporary, Unsettled
from .lookup import Ways, ahead, look_up
from .mail import damper, health, ses_block
from .mail.address import Address, mask
from .mail.authentication import Authentication
from .mail.claims import Settled
from .mail.envelope import TEST_LOCAL, TOKEN_LENGTH, Envelope
from .mail.header import Header
from .mail.message import MAX_HEADER, Message
from .mail.outcomes import ClaimState, State
from .mail.plan import (
    BadTable,
    Decision,
    Defer,
    Discard,
    Forward,
    GreyHold,
    LookedUp,
    Policy,
    Quarantine,
    Reject,
    deliveries,
    plan,
)
from .mail.records import dataclass, field, replace
from .mail.reply import FAILED, of_alias
from .mail.rows import Rows
from .ports.clock import Clock
from .ports.forward import Attempts, Entry, Ledger, MailLog, MailStore, Outcome, Queue, TablesAhead
from .side_by_side import Waiting

if TYPE_CHECKING:
    from .ports.daily_test import Arrivals
    from .ports.learning import Learner
    from .ports.uses import Uses
    from .replying import Replying
    from .screening import Screened, Screening

_FORCED = 2  # attempts of the retry queue that were killed: an outage of the ledger may look like one
_BY_SIZE = (MemoryError, RecursionError)
_REMARKS = 5  # in one reason: a group may have thousands of destinations
_STATES: Mapping[type[Decision], State] = {
    Quarantine: State.QUARANTINED,
    Reject: State.REJECTED,
    Discard: State.DISCARDED,
    Defer: State.DEFERRED,
    BadTable: State.DEFERRED,
    GreyHold: State.DEFERRED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarder:
    """Handles one SES receipt event from start to end."""

    policy: Policy
    store: MailStore
    tables: TablesAhead
    ledger: Ledger
    deliverer: Deliverer
    answering: Answering
    clock: Clock
    log: MailLog
    queue: Queue  # wakes held messages
    ways: Ways = field(default_factory=Ways)
    screening: "Callable[[], Screening] | None" = None  # created on first use: it imports much
    arrivals: "Callable[[], Arrivals] | None" = None  # of the daily test; created on first use
    replying: "Callable[[], Replying] | None" = None  # made when it is first needed
    uses: "Callable[[], Uses] | None" = None  # of aliases that end; created on first use
    learner: "Callable[[], Learner] | None" = None  # of a catch-all; created on first use

    def handle(self, event: object, until: float, ended: str = "", attempt: str = "") -> None:
        """Forward the message of this event; return when every recipient is settled. `ended` says how Lambda killed
        earlier attempts, and `attempt` names this one of the retry queue in the ledger: a message whose attempts were
        killed twice is quarantined unread.

        After `until`, epoch seconds, no further sending is started. Raises BadEvent for an event that is not one SES
        receipt, Temporary for everything that may work later. Safe to call again with the same event, even while
        another call runs.
        """
        try:
            envelope = Envelope.from_event(event)
            self._attempt(envelope, until, ended, attempt)
        except Exception as error:
            self.log.failure(error)
            raise

    def _attempt(self, envelope: Envelope, until: float, ended: str, attempt: str) -> None:
        if not (ended or attempt):
            with ahead(self.store, self.tables, envelope, self.policy, self.ways) as under_way:
                self._forward(envelope, self._opened(envelope), until, *under_way)
            return
        entry = self._opened(envelope)  # it may be set aside, and then it is not read
        if self._was_killed(envelope.message_id, ended, attempt):
            self._set_aside(envelope, entry, ended or "twice while it came from the retry queue")
            return
        try:
            with ahead(self.store, self.tables, envelope, self.policy, self.ways) as under_way:
                self._forward(envelope, entry, until, *under_way)
        except Exception as error:
            # A failure recorded here was not a kill; one of memory may not even be recorded.
            if attempt and not isinstance(error, _BY_SIZE):
                self.ledger.end(envelope.message_id, attempt)
            raise

    def _was_killed(self, message_id: str, ended: str, attempt: str) -> bool:
        earlier = self.ledger.begin(message_id, attempt) if attempt else Attempts()
        reported = bool(ended) and (not earlier.begun or earlier.unfinished > 0)
        return reported or earlier.unfinished >= _FORCED

    def _opened(self, envelope: Envelope) -> Entry:
        entry = self.ledger.open(envelope)
        self.log.received(envelope, entry)
        return entry

    def _forward(
        self, envelope: Envelope, entry: Entry, until: float, fetched: Waiting[bytes], rows: Waiting[Rows]
    ) -> None:
        waiting = envelope.without(entry.settled)
        # Text that is not an address can have no row, whatever a catch-all matches.
        no_address = [
            Outcome(one, State.REJECTED, f"{one.key} is unknown: it is not a mail address") for one in waiting.unknown
        ]
        outcomes: list[Outcome] = []
        learned: list[Forward] = []
        size, screened = 0, None
        if waiting.recipients:
            now, raw = self.clock.now(), fetched.result()
            message = Message.split(raw, MAX_HEADER)
            waiting = _confirmed(waiting, message)
            first = rows.result()
            tested = self._tested(waiting, message)
            replied = self._replied(waiting, message, raw, first, entry, until)
            waiting = waiting.without([one.recipient.key for one in (*tested, *replied)])
            size, header = len(raw), Header.of(message)
            found = look_up(self.tables, waiting, header, self.policy, now, first, ways=self.ways)
            planned, screened = self._planned(waiting, message, header, found, entry, now)
            learned = _to_learn(planned, found)
            delivered = Delivered({})
            if wanted := deliveries(planned):
                delivered = self.deliverer.deliver(waiting, wanted, message, found.settings, until)
            notes = screened.notes if screened else None
            plain = not (tested or replied or learned or no_address or entry.due)
            if plain and self._closed_at_once(envelope, planned, delivered, size, entry.orders, notes):
                return
            outcomes = [
                _unless_reached(one, entry.reached) for one in self._outcomes(waiting, planned, found, delivered)
            ]
            outcomes = [*self.answering.decided(waiting, [*outcomes, *replied], raw, found.rows), *tested]
        outcomes += no_address
        stands = self._close(envelope, outcomes, size, entry.orders, screened.notes if screened else None)
        self._wake(envelope, outcomes)
        mine = [outcome for outcome in outcomes if outcome.recipient in stands]
        self.answering.carry_out(envelope, entry, mine, until)
        self._learn(envelope, learned, mine, until)
        self._raise_if_unsettled(envelope, outcomes)

    def _planned(
        self, envelope: Envelope, message: Message, header: Header, found: LookedUp, entry: Entry, now: float
    ) -> "tuple[tuple[Decision, ...], Screened | None]":
        """The plan, and the result of screening."""
        planned = plan(envelope, header, found, self.policy, now, entry.released)
        screened = self._screened(planned, envelope, message, header, found)
        if screened is not None:
            planned = plan(envelope, header, found, self.policy, now, entry.released, score=screened.score)
            planned = self._screening.held(planned, envelope, header, screened, found, now)
        damped = (self._damped(envelope, one, now) for one in planned)
        return tuple(self._unless_over(envelope, one) for one in damped), screened

    def _unless_over(self, envelope: Envelope, decision: Decision) -> Decision:
        """The decision; a rejection if the alias has taken all the messages of its limit. Only rows with a limit are
        counted."""
        if not isinstance(decision, Forward) or decision.uses is None or self.uses is None:
            return decision
        row, recipient = decision.uses, decision.recipient
        try:
            if self.uses().count(row, envelope.message_id):
                return decision
        except Temporary as failure:
            return Defer(recipient, str(failure), alias=decision.alias, row=decision.row)
        why = f"{row.key} is expired: it took {_counted(row.most, 'message')}"
        return Reject(recipient, why, of_alias("expired"), alias=decision.alias, row=decision.row)

    def _learn(
        self, envelope: Envelope, wanted: Collection[Forward], settled: Collection[Outcome], until: float
    ) -> None:
        """Write rows for names that a catch-all sees for the first time, after everything else: what fails here is
        learned with the next mail."""
        if not wanted or self.learner is None:
            return
        passed = {one.recipient.key for one in settled if one.state in (State.FORWARDED, State.MERGED)}
        for one in wanted:
            if one.learn is None or one.recipient.key not in passed or self.clock.now() > until:
                continue
            try:
                if self.learner().learn(one.learn, envelope.source):
                    self.log.learned(envelope, one.learn.key)
            except Exception as failure:  # noqa: BLE001 (the message is through, whatever this is)
                self.log.not_learned(envelope, one.learn.key, failure)
                return

    def _tested(self, envelope: Envelope, message: Message) -> list[Outcome]:
        """The recipients for which this is our own daily test: it arrived, and is not forwarded."""
        mine = [one for one in envelope.recipients if one.local.lower() == TEST_LOCAL]
        if not mine or self.arrivals is None:
            return []
        arrivals = self.arrivals()
        return [Outcome(one, State.TESTED, "the daily test") for one in mine if arrivals.note(one, message)]

    def _replied(
        self, envelope: Envelope, message: Message, raw: bytes, rows: Rows, entry: Entry, until: float
    ) -> list[Outcome]:
        """The recipients that are our reply addresses: this is a reply, and goes to their correspondents."""
        if self.replying is None or not any(len(one.tag) == TOKEN_LENGTH for one in envelope.recipients):
            return []
        return self.replying().take(envelope, message, raw, rows, entry.released, until)

    def _screened(
        self, planned: Collection[Decision], envelope: Envelope, message: Message, header: Header, found: LookedUp
    ) -> "Screened | None":
        """The result of screening; None if nothing would be forwarded, or the owner turned nothing on."""
        if self.screening is None or not any(isinstance(one, Forward) for one in planned):
            return None
        if not found.settings.screens:  # known to be valid: otherwise nothing would be forwarded
            return None
        return self._screening.look(envelope, message, header, found, self.policy.own_domains)

    @property
    def _screening(self) -> "Screening":
        assert self.screening is not None  # checked by the caller
        return self.screening()

    def _wake(self, envelope: Envelope, outcomes: Collection[Outcome]) -> None:
        """Schedule held messages to come back; they are recorded by now, so the watch finds them if this is not
        reached."""
        held = {one.recipient.key: one.release_at for one in outcomes if one.release_at is not None}
        if held:
            from .mail.receipt import receipt_event  # noqa: PLC0415 (for who holds mail only)

            event = receipt_event(
                envelope.message_id, envelope.source, tuple(held), envelope.verdicts, envelope.received_at
            )
            self.queue.wake(event, min(held.values()), self.clock.now())

    def _damped(self, envelope: Envelope, decision: Decision, now: float) -> Decision:
        """The decision; quarantine for the one message too many of those that come from the alias's own
        destinations."""
        if not isinstance(decision, Forward) or decision.echo is None:
            return decision
        passed = envelope.age(now)
        mine = damper.noted(envelope.message_id, now if passed is None else now - passed)
        if not damper.is_over(self.deliverer.rates.note(decision.echo, mine), mine):
            return decision
        return Quarantine(decision.recipient, damper.reason(decision.echo), alias=decision.alias)

    def _set_aside(self, envelope: Envelope, entry: Entry, ended: str) -> None:
        why = f"Lambda ended each attempt by force ({ended}); what was sent before stands"
        waiting = envelope.without(entry.settled)
        outcomes = [Outcome(one, State.QUARANTINED, why) for one in (*waiting.recipients, *waiting.unknown)]
        self._close(envelope, outcomes, 0, 0, None)

    def _close(
        self, envelope: Envelope, outcomes: Collection[Outcome], size: int, orders: int, notes: Mapping[str, Any] | None
    ) -> frozenset[Address]:
        """Record the outcomes. News for the owner is counted before: once it is recorded no retry gets there, and a
        function killed in between must not lose the count. It may be counted twice."""
        for outcome in (one for one in outcomes if one.state.noted):
            self.log.outcome(envelope, outcome, size, self.clock.now())
        stands = self.ledger.close(envelope, outcomes, size, orders, notes)
        for outcome in (one for one in outcomes if not one.state.noted):
            self.log.outcome(envelope, outcome, size, self.clock.now())
        return stands

    def _closed_at_once(
        self,
        envelope: Envelope,
        decisions: Collection[Decision],
        delivered: Delivered,
        size: int,
        orders: int,
        notes: Mapping[str, Any] | None,
    ) -> bool:
        """Whether SES accepted everything unchanged, so that all that is left to write is one transaction: most
        mail."""
        if not delivered.unsettled or any(not isinstance(one, Forward) or one.suspended for one in decisions):
            return False
        outcomes = [_outcome(one, delivered.results) for one in decisions]
        if not all(one.state in (State.FORWARDED, State.MERGED) for one in outcomes):
            return False
        if not self.ledger.settle_and_close(envelope, outcomes, size, orders, notes, delivered.endings):
            return False
        for outcome in outcomes:
            self.log.outcome(envelope, outcome, size, self.clock.now())
        return True

    def _outcomes(
        self, envelope: Envelope, decisions: Collection[Decision], found: LookedUp, delivered: Delivered
    ) -> list[Outcome]:
        """The outcomes of the recipients, once the results of their destinations are written."""
        results = {**delivered.results, **self.deliverer.settled(delivered.unsettled)}
        for decision in decisions:
            if isinstance(decision, BadTable):
                self.log.bad_row(envelope, decision.reason)
        for delivery in deliveries(decisions):
            if isinstance(failure := results[delivery.destination.key], Temporary):
                self.log.deferred(envelope, delivery.destination, failure)  # and handle() raises
        for decision in decisions:
            if isinstance(decision, Forward | Quarantine):
                for destination in decision.suspended:
                    why = health.why((destination,), found.rows)
                    self.ledger.suspend(envelope.message_id, destination, decision.recipient, why)
        return [_outcome(decision, results) for decision in decisions]

    def _raise_if_unsettled(self, envelope: Envelope, outcomes: Collection[Outcome]) -> None:
        deferred = [
            f"{outcome.recipient}: {outcome.reason}"
            for outcome in outcomes
            if not outcome.state.settled and outcome.release_at is None
        ]
        if deferred:
            said = f"{_counted(len(deferred), 'recipient')} deferred: {'; '.join(deferred)}"
            raise Unsettled(f"message {envelope.message_id}: {mask(said, self.policy.own_domains)}")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _to_learn(planned: Collection[Decision], found: LookedUp) -> list[Forward]:
    """The forwards that teach a catch-all a name; names reserved for Postern are not learned."""
    learning = [one for one in planned if isinstance(one, Forward) and one.learn is not None]
    kept = (found.settings.reply_local_part, TEST_LOCAL) if learning else ()
    return [one for one in learning if one.recipient.untagged.local.lower() not in kept]


def _confirmed(envelope: Envelope, message: Message) -> Envelope:
    """The envelope, completed with what SES wrote at the top of the message, and with the sender's authentication.

    Raises Misconfigured if the stored object is not what SES received: it must not go out as mail.
    """
    if not ses_block.is_stored(message, envelope.message_id):
        raise Misconfigured(
            f"the object of message {envelope.message_id} is not what SES received: no field of it names the message."
            " Does a receipt rule encrypt it, or does something else write under the prefix?"
        )
    block = ses_block.SesBlock.of(message, envelope.message_id)
    found = replace(envelope, authentication=Authentication.of(message, envelope.message_id))
    return found.from_nobody() if block and block.has_null_sender else found


def _unless_reached(outcome: Outcome, reached: Collection[str]) -> Outcome:
    """The outcome; without a reply if it is a rejection that comes too late: an alias or a rule changed between two
    attempts, and the sender must not be told that the address takes no mail, because a destination has this message."""
    if outcome.state is not State.REJECTED or outcome.recipient.key not in reached:
        return outcome
    return replace(outcome, reply=None, reason=f"{outcome.reason}; an earlier attempt had sent it")


def _outcome(decision: Decision, results: Mapping[str, Settled | Temporary]) -> Outcome:
    """The outcome of a recipient: that of its worst destination."""
    if not isinstance(decision, Forward):
        reply = decision.reply if isinstance(decision, Reject) else None
        release_at = decision.release_at if isinstance(decision, GreyHold) else None
        state = _STATES[type(decision)]
        said = (decision.recipient, state, decision.reason, reply)
        return Outcome(*said, alias=decision.alias, release_at=release_at, row=decision.row)
    mine = {destination: results[destination.key] for destination in decision.destinations}
    for destination, result in mine.items():
        if isinstance(result, Temporary):
            why = f"{destination}: {result}"
            return Outcome(decision.recipient, State.DEFERRED, why, alias=decision.alias, row=decision.row)
    settled = {destination: result for destination, result in mine.items() if isinstance(result, Settled)}
    merged = tuple(one.key for one, result in settled.items() if result.recipient != decision.recipient.key)
    made = Outcome(decision.recipient, State.FORWARDED, decision.reason, alias=decision.alias, row=decision.row)
    made = replace(made, merged=merged)
    for destination, result in settled.items():
        if (state := result.state.outcome) is not State.FORWARDED:
            reply = FAILED if any(one.state is ClaimState.FAILED for one in settled.values()) else None
            return replace(made, state=state, reason=f"{destination}: {result.reason}", reply=reply)
    remarks = [f"{destination}: {result.reason}" for destination, result in settled.items() if result.reason]
    if len(remarks) > _REMARKS:
        remarks = [*remarks[:_REMARKS], f"{len(remarks) - _REMARKS} more"]
    state = State.MERGED if len(merged) == len(settled) else State.FORWARDED
    return replace(made, state=state, reason="; ".join((decision.reason, *remarks)))
