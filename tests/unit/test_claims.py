"""The machine of a claim: every state that can stand there, and who was faster."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from postern_mail.mail.address import Address
from postern_mail.mail.claims import (
    DSN,
    RACES,
    VIA,
    Claim,
    Ended,
    GivenUp,
    HeldByAnother,
    Settled,
    Standing,
    Taken,
    ask,
    take,
)
from postern_mail.mail.outcomes import ClaimState

NOW, PATIENCE = 1_000_000.0, 3600.0
JANE, INFO = Address("jane", "dest.example"), Address("info", "example.com")
MINE = Claim("id", JANE, INFO, "me", NOW + 150)


def standing(state: ClaimState, **more: object) -> Standing:
    made = Standing(state=state, owner="other", lease_until=NOW - 1, attempts=7, recipient="team@example.com")
    return replace(made, **more)  # type: ignore[arg-type]


class Entry:
    """What stands in the ledger; `meanwhile` happens before each write."""

    def __init__(self, found: Standing, meanwhile: Callable[["Entry"], None] = lambda entry: None) -> None:
        self.found, self.meanwhile, self.asked = found, meanwhile, 0

    def swap(self, old: Standing, new: Standing) -> Standing | None:
        self.asked += 1
        self.meanwhile(self)
        if self.found != old:
            return self.found
        self.found = new
        return None


def test_what_no_one_claimed_is_taken_at_the_first_question() -> None:
    entry = Entry(Standing())
    assert take(MINE, NOW, PATIENCE, entry.swap) == MINE
    assert entry.asked == 1
    assert (entry.found.state, entry.found.owner, entry.found.lease_until) == ("claimed", "me", NOW + 150)
    assert (entry.found.first_at, entry.found.attempts, entry.found.before) == (NOW, 1, None)


@pytest.mark.parametrize(
    ("found", "answer"),
    [
        (Standing(), Taken(uncertain=False)),
        (standing(ClaimState.RELEASED), Taken(uncertain=False)),
        (standing(ClaimState.SUSPENDED), Taken(uncertain=False)),
        (standing(ClaimState.UNANSWERED, first_at=NOW - PATIENCE + 1), Taken(uncertain=True)),
        (standing(ClaimState.CLAIMED, first_at=NOW - PATIENCE + 1), Taken(uncertain=True)),
        (standing(ClaimState.CLAIMED), Taken(uncertain=True)),
        (standing(ClaimState.CLAIMED, lease_until=NOW), HeldByAnother(NOW)),
        (standing(ClaimState.CLAIMED, lease_until=NOW + 9, first_at=NOW - PATIENCE), HeldByAnother(NOW + 9)),
        (standing(ClaimState.SENT), Ended(ClaimState.SENT)),
        (standing(ClaimState.NOTICED), Ended(ClaimState.NOTICED)),
        (standing(ClaimState.FAILED, owner="me"), Ended(ClaimState.FAILED)),
        (standing(ClaimState.AMBIGUOUS), Ended(ClaimState.AMBIGUOUS)),
    ],
)
def test_what_stands_there_decides(found: Standing, answer: object) -> None:
    assert ask(found, "me", NOW, PATIENCE) == answer


@pytest.mark.parametrize("state", [ClaimState.UNANSWERED, ClaimState.CLAIMED])
def test_what_ses_left_without_an_answer_for_too_long_is_given_up(state: ClaimState) -> None:
    found = standing(state, first_at=NOW - PATIENCE)
    given_up = ask(found, "me", NOW, PATIENCE)
    assert isinstance(given_up, GivenUp)
    assert "asked 7 times" in given_up.why
    entry = Entry(found)
    end = take(MINE, NOW, PATIENCE, entry.swap)
    assert end == Settled(ClaimState.AMBIGUOUS, INFO.key, given_up.why, ("team@example.com",))
    assert (entry.found.state, entry.found.detail, entry.found.owner) == ("ambiguous", given_up.why, "me")
    assert take(MINE, NOW, PATIENCE, entry.swap) == end, "as when botocore repeats the call"


@pytest.mark.parametrize("state", [ClaimState.RELEASED, ClaimState.SUSPENDED])
def test_what_was_released_is_not_given_up_however_long_ago_it_began(state: ClaimState) -> None:
    assert ask(standing(state, first_at=NOW - PATIENCE), "me", NOW, PATIENCE) == Taken(uncertain=False)


@pytest.mark.parametrize(
    ("before", "uncertain"),
    [(None, False), (ClaimState.RELEASED, False), (ClaimState.UNANSWERED, True), (ClaimState.CLAIMED, True)],
)
def test_our_own_call_that_botocore_repeats_is_ours_and_as_uncertain_as_before(
    before: ClaimState | None, uncertain: bool
) -> None:
    found = standing(before) if before else Standing()
    entry = Entry(found)

    def repeated(old: Standing, new: Standing) -> Standing | None:
        return entry.swap(old, new) or (entry.found if entry.asked == (2 if before else 1) else None)

    claim = take(MINE, NOW, PATIENCE, repeated)
    assert claim == replace(MINE, uncertain=uncertain, group=("team@example.com",) if uncertain else ())
    assert entry.found.attempts == found.attempts + 1


def test_a_claim_given_back_under_our_own_name_is_taken_by_writing_it() -> None:
    entry = Entry(standing(ClaimState.UNANSWERED, owner="me"))
    assert take(MINE, NOW, PATIENCE, entry.swap) == replace(MINE, uncertain=True, group=("team@example.com",))
    assert entry.found.state is ClaimState.CLAIMED


def test_the_first_has_it() -> None:
    def faster(entry: Entry) -> None:
        if entry.asked == 2:
            entry.found = standing(ClaimState.CLAIMED, owner="third", lease_until=NOW + 9)

    entry = Entry(standing(ClaimState.RELEASED), faster)
    assert take(MINE, NOW, PATIENCE, entry.swap) == HeldByAnother(NOW + 9)


def test_an_entry_that_never_rests_ends_the_attempt() -> None:
    def busy(entry: Entry) -> None:
        entry.found = standing(ClaimState.RELEASED, owner=str(entry.asked))

    entry = Entry(Standing(), busy)
    assert take(MINE, NOW, PATIENCE, entry.swap) == HeldByAnother(NOW + 150)
    assert entry.asked == RACES


@pytest.mark.parametrize(
    ("state", "kind", "reason"),
    [
        (ClaimState.SENT, VIA, "one, two"),
        (ClaimState.NOTICED, VIA, "one, two"),
        (ClaimState.SENT, DSN, "ses-1"),
        (ClaimState.FAILED, VIA, "ses-1"),
        (ClaimState.AMBIGUOUS, DSN, "ses-1"),
    ],
)
def test_the_end_of_a_claim_says_what_was_out_of_the_ordinary(state: ClaimState, kind: str, reason: str) -> None:
    entry = Entry(standing(state, detail="ses-1", refusals=("one", "two")))
    claim = take(replace(MINE, kind=kind), NOW, PATIENCE, entry.swap)
    assert claim == Settled(state, "team@example.com", reason)
