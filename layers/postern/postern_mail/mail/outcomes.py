"""What can become of a recipient and of a claim, and what follows from it. No other module knows the words.

Each state answers every question here: a new one does not pass mypy (exhaustive-match) before it does.
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
    """What became of one recipient, as the ledger, the log and `postern log --state` call it."""

    FORWARDED = "forwarded"
    MERGED = "merged"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"
    DISCARDED = "discarded"
    TESTED = "tested"  # our own daily test, which goes no further
    FAILED = "failed"
    AMBIGUOUS = "ambiguous"  # SES never answered: it may have been sent
    DEFERRED = "deferred"  # tried again
    PENDING = "pending"  # no outcome yet; never recorded

    @classmethod
    def of(cls, entry: Mapping[str, object]) -> "State":
        """The state in a recipient's entry of the ledger; PENDING where there is none yet: feedback may be faster.
        Raises ValueError for a word that is no state."""
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
        """A retry leaves it as it is."""
        return self._meaning.settled

    @property
    def answerable(self) -> bool:
        """The recipient got nothing, which the sender may be told."""
        return self._meaning.answerable

    @property
    def noted(self) -> bool:
        """The owner's digest names it."""
        return self._meaning.noted

    @property
    def replayable(self) -> bool:
        """A destination may lack the message although it should have it: `postern replay --failed` sends it again."""
        return self._meaning.replayable

    @property
    def troubling(self) -> bool:
        """The log warns of it."""
        return self.replayable or not self.settled

    @property
    def colour(self) -> str:
        """In a terminal, "" for none."""
        return self._meaning.colour


class ClaimState(StrEnum):
    """How a claim stands, on a destination or on the answer to the sender."""

    CLAIMED = "claimed"  # an invocation is sending, or died doing so
    SENT = "sent"
    NOTICED = "noticed"  # SES took nothing but a notice
    FAILED = "failed"
    AMBIGUOUS = "ambiguous"  # SES said nothing for so long that it was given up
    RELEASED = "released"  # SES said not now, or a person ordered a replay
    UNANSWERED = "unanswered"  # SES said nothing, then or at an earlier attempt
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
        """Nothing more is sent; only a person's order changes that."""
        return self._meaning.ends

    @property
    def free(self) -> bool:
        """The next attempt may take it."""
        return self._meaning.free

    @property
    def uncertain(self) -> bool:
        """SES may have accepted the message, and nobody knows."""
        return self._meaning.uncertain

    @property
    def idle(self) -> bool:
        """Nothing was sent under it, for certain, and nobody is about to."""
        return self.free and not self.uncertain

    @property
    def accepted(self) -> bool:
        """SES took a message, in one form or another."""
        return self._meaning.accepted

    @property
    def replayable(self) -> bool:
        """It ended, and the destination may lack the message: `postern replay --failed` sends it again."""
        return self.ends and not self._meaning.whole

    @property
    def missed(self) -> bool:
        """The destination got nothing, or perhaps nothing, though the recipient may be settled: `postern destination
        redeliver` runs it."""
        return self is ClaimState.SUSPENDED or self.uncertain

    @property
    def reached(self) -> bool:
        """The destination has something of the message, or may have."""
        return self.accepted or self.uncertain or self is ClaimState.AMBIGUOUS

    @property
    def outcome(self) -> State:
        """Of a recipient for whom no other destination ended worse."""
        match self:
            case ClaimState.SENT:
                return State.FORWARDED
            case ClaimState.NOTICED | ClaimState.FAILED:
                return State.FAILED
            case ClaimState.AMBIGUOUS:
                return State.AMBIGUOUS
            case ClaimState.CLAIMED | ClaimState.RELEASED | ClaimState.UNANSWERED | ClaimState.SUSPENDED:
                return State.DEFERRED
