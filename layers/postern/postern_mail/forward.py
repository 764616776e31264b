"""The way of a message: envelope, ledger, fetch, look-up, plan, rewrite, send, record, answer.

The decisions are made in `mail`, the world is behind `ports`; this is the order of things and
what happens when one of them fails. docs/way-of-a-message.md tells the same on one page.
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

_FORCED = 2  # attempts of the retry queue that were ended by force: an outage of the ledger may look like one
_BY_SIZE = (MemoryError, RecursionError)
_REMARKS = 5  # that one reason has: a group may have thousands of destinations
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
    """Takes one SES receipt event all the way."""

    policy: Policy
    store: MailStore
    tables: TablesAhead
    ledger: Ledger
    deliverer: Deliverer
    answering: Answering
    clock: Clock
    log: MailLog
    queue: Queue  # brings back what is held
    ways: Ways = field(default_factory=Ways)
    screening: "Callable[[], Screening] | None" = None  # made when it is first needed: it imports much
    arrivals: "Callable[[], Arrivals] | None" = None  # of the daily test; made when it is first needed
    replying: "Callable[[], Replying] | None" = None  # made when it is first needed
    uses: "Callable[[], Uses] | None" = None  # of aliases that end; made when it is first needed
    learner: "Callable[[], Learner] | None" = None  # of a catch-all; made when it is first needed

    def handle(self, event: object, until: float, ended: str = "", attempt: str = "") -> None:
        """Forward the message of this event; returns when every recipient is settled. `ended` says how Lambda ended
        earlier attempts by force, and `attempt` names this one of the retry queue, as the ledger remembers them: what
        was ended by force twice is quarantined unread.

        After `until`, epoch seconds, no other sending is begun. Raises BadEvent for an event that
        is not one SES receipt, Temporary for everything that may work later. Safe to call again
        with the same event, also while another call runs.
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
        if self._is_ended_by_force(envelope.message_id, ended, attempt):
            self._set_aside(envelope, entry, ended or "twice while it came from the retry queue")
            return
        try:
            with ahead(self.store, self.tables, envelope, self.policy, self.ways) as under_way:
                self._forward(envelope, entry, until, *under_way)
        except Exception as error:
            # A failure that is told here is none by force; one of memory may not even be told.
            if attempt and not isinstance(error, _BY_SIZE):
                self.ledger.end(envelope.message_id, attempt)
            raise

    def _is_ended_by_force(self, message_id: str, ended: str, attempt: str) -> bool:
        earlier = self.ledger.begin(message_id, attempt) if attempt else Attempts()
        once = bool(ended) and (not earlier.begun or earlier.unfinished > 0)
        return once or earlier.unfinished >= _FORCED

    def _opened(self, envelope: Envelope) -> Entry:
        entry = self.ledger.open(envelope)
        self.log.received(envelope, entry)
        return entry

    def _forward(
        self, envelope: Envelope, entry: Entry, until: float, fetched: Waiting[bytes], rows: Waiting[Rows]
    ) -> None:
        waiting = envelope.without(entry.settled)
        # No row can be for what is no address, whatever a catch-all takes.
        no_address = [
            Outcome(one, State.REJECTED, f"{one.key} is unknown: it is no mail address") for one in waiting.unknown
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
        """The plan, and what screening found out."""
        planned = plan(envelope, header, found, self.policy, now, entry.released)
        screened = self._screened(planned, envelope, message, header, found)
        if screened is not None:
            planned = plan(envelope, header, found, self.policy, now, entry.released, score=screened.score)
            planned = self._screening.held(planned, envelope, header, screened, found, now)
        damped = (self._damped(envelope, one, now) for one in planned)
        return tuple(self._unless_over(envelope, one) for one in damped), screened

    def _unless_over(self, envelope: Envelope, decision: Decision) -> Decision:
        """The decision; a rejection where the alias has taken all the messages that it takes. Only rows that say so are
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
        """Write rows for names that a catch-all sees for the first time, once everything else is done: what fails here
        is learned with the next mail."""
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
        """The recipients for whom this is our own daily test: it arrived, and goes no further."""
        mine = [one for one in envelope.recipients if one.local.lower() == TEST_LOCAL]
        if not mine or self.arrivals is None:
            return []
        arrivals = self.arrivals()
        return [Outcome(one, State.TESTED, "the daily test") for one in mine if arrivals.note(one, message)]

    def _replied(
        self, envelope: Envelope, message: Message, raw: bytes, rows: Rows, entry: Entry, until: float
    ) -> list[Outcome]:
        """The recipients that are reply addresses of ours: this is a reply, and goes to their correspondents."""
        if self.replying is None or not any(len(one.tag) == TOKEN_LENGTH for one in envelope.recipients):
            return []
        return self.replying().take(envelope, message, raw, rows, entry.released, until)

    def _screened(
        self, planned: Collection[Decision], envelope: Envelope, message: Message, header: Header, found: LookedUp
    ) -> "Screened | None":
        """What screening found out; None where nothing would be forwarded, or the owner turned nothing on."""
        if self.screening is None or not any(isinstance(one, Forward) for one in planned):
            return None
        if not found.settings.screens:  # they are understood, else nothing would be forwarded
            return None
        return self._screening.look(envelope, message, header, found, self.policy.own_domains)

    @property
    def _screening(self) -> "Screening":
        assert self.screening is not None  # else nobody asks
        return self.screening()

    def _wake(self, envelope: Envelope, outcomes: Collection[Outcome]) -> None:
        """Have what is held come back; it is recorded by now, so the watch finds it if this is not reached."""
        held = {one.recipient.key: one.release_at for one in outcomes if one.release_at is not None}
        if held:
            from .mail.receipt import receipt_event  # noqa: PLC0415 (for who holds mail only)

            event = receipt_event(
                envelope.message_id, envelope.source, tuple(held), envelope.verdicts, envelope.received_at
            )
            self.queue.wake(event, min(held.values()), self.clock.now())

    def _damped(self, envelope: Envelope, decision: Decision, now: float) -> Decision:
        """The decision; quarantine for the message too many of those that come from where their alias leads."""
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
        """Record the outcomes. What the owner must hear of is counted before: once it is recorded no retry comes to it,
        and a function that is killed in between must not take the count along. It may be counted twice."""
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
        """Whether SES took everything as it is, and so all that is left to write down is one transaction: most mail."""
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
        """What became of the recipients, once everything is written down of the destinations."""
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
    """The forwards that teach a catch-all a name; those names that Postern keeps for itself are not learned."""
    learning = [one for one in planned if isinstance(one, Forward) and one.learn is not None]
    kept = (found.settings.reply_local_part, TEST_LOCAL) if learning else ()
    return [one for one in learning if one.recipient.untagged.local.lower() not in kept]


def _confirmed(envelope: Envelope, message: Message) -> Envelope:
    """The envelope as SES wrote it on top of the message, too, and how its sender was authenticated.

    Raises Misconfigured if what is stored is not what SES received: it must not go out as mail.
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
    """The outcome; without a reply if it is a rejection that comes too late: an alias or a rule was changed between
    two attempts, and the sender must not hear that the address takes no mail, for a destination has this one."""
    if outcome.state is not State.REJECTED or outcome.recipient.key not in reached:
        return outcome
    return replace(outcome, reply=None, reason=f"{outcome.reason}; an earlier attempt had sent it")


def _outcome(decision: Decision, results: Mapping[str, Settled | Temporary]) -> Outcome:
    """The worst of a recipient's destinations is what became of it."""
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
