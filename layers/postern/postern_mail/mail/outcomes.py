"""The states of a recipient and of a claim, and what follows from each. No other module knows the words.

Each state answers every question here: mypy (exhaustive-match) rejects a new one until it does.
"""

from collections.abc import Mapping
from enum import StrEnum

from .records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meaning:
    settled: bool
    answerable: bool = False
    noted: bool = False
    replayable: bool = False
    colour: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _ClaimMeaning:
    ends: bool = False
    free: bool = False
    uncertain: bool = False
    accepted: bool = False
    whole: bool = False


class State(StrEnum):
    """The outcome of one recipient, as named in the ledger, the log and `postern log --state`."""

    FORWARDED = "forwarded"
    MERGED = "merged"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"
    DISCARDED = "discarded"
    TESTED = "tested"  # our own daily test, which is not forwarded
    FAILED = "failed"
    AMBIGUOUS = "ambiguous"  # SES never answered: it may have been sent
    DEFERRED = "deferred"  # to be retried
    PENDING = "pending"  # no outcome yet; never recorded

    @classmethod
    def of(cls, entry: Mapping[str, object]) -> "State":
        """The state in a recipient's entry of the ledger; PENDING if it has none yet, as feedback may be faster. Raises
        ValueError for an unknown word."""
        return cls(str(entry.get("state", cls.PENDING)))

    @property
    def _meaning(self) -> _Meaning:
        match self:
            case State.FORWARDED | State.MERGED | State.TESTED:
                return _Meaning(settled=True)
            case State.REJECTED | State.DISCARDED:
                return _Meaning(settled=True, answerable=True)
            case State.QUARANTINED:
                return _Meaning(settled=True, answerable=True, noted=True, colour="yellow")
            case State.FAILED | State.AMBIGUOUS:
                return _Meaning(settled=True, answerable=True, noted=True, replayable=True, colour="red")
            case State.DEFERRED | State.PENDING:
                return _Meaning(settled=False, colour="yellow")

    @property
    def settled(self) -> bool:
        """Whether a retry leaves it unchanged."""
        return self._meaning.settled

    @property
    def answerable(self) -> bool:
        """Whether the recipient was not reached, and the sender may be told so."""
        return self._meaning.answerable

    @property
    def noted(self) -> bool:
        """Whether the owner's digest names it."""
        return self._meaning.noted

    @property
    def replayable(self) -> bool:
        """Whether a destination may lack a message that it should have: `postern replay --failed` sends it again."""
        return self._meaning.replayable

    @property
    def troubling(self) -> bool:
        """Whether the log warns of it."""
        return self.replayable or not self.settled

    @property
    def colour(self) -> str:
        """Its colour in a terminal, "" for none."""
        return self._meaning.colour


class ClaimState(StrEnum):
    """The state of a claim, on a destination or on the answer to the sender."""

    CLAIMED = "claimed"  # an invocation is sending, or died while it did
    SENT = "sent"
    NOTICED = "noticed"  # SES accepted only a notice
    FAILED = "failed"
    AMBIGUOUS = "ambiguous"  # SES did not answer for so long that it was given up
    RELEASED = "released"  # SES deferred it, or a person ordered a replay
    UNANSWERED = "unanswered"  # SES did not answer the last attempt, or an earlier one
    SUSPENDED = "suspended"  # the destination gets nothing for now

    @property
    def _meaning(self) -> _ClaimMeaning:
        match self:
            case ClaimState.CLAIMED:
                return _ClaimMeaning(uncertain=True)
            case ClaimState.SENT:
                return _ClaimMeaning(ends=True, accepted=True, whole=True)
            case ClaimState.NOTICED:
                return _ClaimMeaning(ends=True, accepted=True)
            case ClaimState.FAILED | ClaimState.AMBIGUOUS:
                return _ClaimMeaning(ends=True)
            case ClaimState.RELEASED | ClaimState.SUSPENDED:
                return _ClaimMeaning(free=True)
            case ClaimState.UNANSWERED:
                return _ClaimMeaning(free=True, uncertain=True)

    @property
    def ends(self) -> bool:
        """Whether nothing more is sent; only a person's order changes that."""
        return self._meaning.ends

    @property
    def free(self) -> bool:
        """Whether the next attempt may take it."""
        return self._meaning.free

    @property
    def uncertain(self) -> bool:
        """Whether SES may have accepted the message without our knowing."""
        return self._meaning.uncertain

    @property
    def idle(self) -> bool:
        """Whether certainly nothing was sent under it, and no one is about to send."""
        return self.free and not self.uncertain

    @property
    def accepted(self) -> bool:
        """Whether SES accepted a message, in one form or another."""
        return self._meaning.accepted

    @property
    def replayable(self) -> bool:
        """Whether it ended and the destination may lack the message: `postern replay --failed` sends it again."""
        return self.ends and not self._meaning.whole

    @property
    def missed(self) -> bool:
        """Whether the destination got nothing, or perhaps nothing, though the recipient may be settled: `postern
        destination redeliver` sends it."""
        return self is ClaimState.SUSPENDED or self.uncertain

    @property
    def reached(self) -> bool:
        """Whether the destination has part of the message, or may have."""
        return self.accepted or self.uncertain or self is ClaimState.AMBIGUOUS

    @property
    def outcome(self) -> State:
        """The state of a recipient for whom no other destination ended worse."""
        match self:
            case ClaimState.SENT:
                return State.FORWARDED
            case ClaimState.NOTICED | ClaimState.FAILED:
                return State.FAILED
            case ClaimState.AMBIGUOUS:
                return State.AMBIGUOUS
            case ClaimState.CLAIMED | ClaimState.RELEASED | ClaimState.UNANSWERED | ClaimState.SUSPENDED:
                return State.DEFERRED
