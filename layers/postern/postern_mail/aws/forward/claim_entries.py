"""The ledger's entries about claims: parsing one, the write that replaces one by another, and several at once.

Claims of one message are taken, and settled, in one transaction if all its conditions hold. If one does not, the others
proceed without it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ...errors import ClaimHeld, ClaimLost, Temporary
from ...mail.address import Address
from ...mail.claims import DSN, VIA, Claim, ClaimEnd, ClaimRequest, HeldByAnother, Settled, Standing, first, take
from ...mail.outcomes import ClaimState
from ...mail.records import replace
from ...ports.clock import Clock
from ..items import Items, Update


class ClaimEntries(ABC):
    """The part of the ledger about claims."""

    _clock: Clock
    _items: Items
    _lease_seconds: int
    _owner: Callable[[], str]
    _retry_seconds: int

    @abstractmethod
    def _expires_at(self, now: float) -> int: ...

    def claim(
        self, message_id: str, destination: Address, recipient: Address, others: Collection[str] = ()
    ) -> Claim | Settled:
        """Claim a destination for one sending, by the rules of `mail.claims`. Raises ClaimHeld while another claim is
        alive."""
        return self._take(self._wanted(message_id, ClaimRequest(destination, recipient, tuple(others))))

    def claim_all(self, message_id: str, wanted: Sequence[ClaimRequest]) -> list[Claim | Settled | Temporary]:
        """Claim these destinations, at most ten, by one transaction where nothing stands yet; what `claim` would return
        or raise for each. A claim is `counted` if what goes along was written with it."""
        claims = [self._wanted(message_id, one) for one in wanted]
        found: dict[int, Claim | Settled | Temporary] = {}
        together = list(range(len(claims)))
        while len(together) > 1 or any(wanted[place].along for place in together):
            try:
                taken, lost = self._take_together({place: claims[place] for place in together}, wanted)
            except Temporary as failure:
                taken, lost = dict.fromkeys(together, failure), []
            found |= taken
            together = [place for place in together if lost and place not in lost]
        for place, claim in enumerate(claims):
            if place not in found:
                try:
                    found[place] = self._take(claim)
                except Temporary as failure:
                    found[place] = failure
        return [found[place] for place in range(len(claims))]

    def _take_together(
        self, claims: Mapping[int, Claim], wanted: Sequence[ClaimRequest]
    ) -> tuple[dict[int, Claim | Settled | Temporary], list[int]]:
        """(the claims by index, none if any was lost; the indexes whose condition failed)."""
        now = self._clock.now()
        writes: dict[tuple[str, ...], Update] = {}
        of: list[int] = []  # the place that each write is for
        taken: dict[int, Claim | Settled | Temporary] = {}
        for place, claim in claims.items():
            along = {tuple(one.key.values()): one for one in wanted[place].along}
            along = {} if along.keys() & writes.keys() else along  # one item has one write
            own = swapped(claim, Standing(), first(claim, now), now, self._expires_at(now))
            writes |= {tuple(own.key.values()): own, **along}
            of += [place] * (1 + len(along))
            taken[place] = replace(claim, counted=bool(along))
        lost = self._items.lost("DynamoDB TransactWriteItems (claim)", tuple(writes.values()))
        return ({}, [of[place] for place in lost]) if lost else (taken, [])

    def _wanted(self, message_id: str, one: ClaimRequest) -> Claim:
        return Claim(
            message_id, one.destination, one.recipient, self._owner(), self._lease_until(), group=tuple(one.others)
        )

    def claim_answer(self, message_id: str, number: int, group: Sequence[Address]) -> Claim | Settled:
        """Claim one answer to the sender, about these recipients or, if one may have been sent already, about that
        one's recipients. Raises ClaimHeld while another claim is alive."""
        keys = tuple(one.key for one in group)
        wanted = Claim(
            message_id, group[0], group[0], self._owner(), self._lease_until(), kind=DSN, number=number, group=keys
        )  # fmt: skip
        return self._take(wanted)

    def _lease_until(self) -> int:
        return int(self._clock.now()) + self._lease_seconds + 1

    def _take(self, wanted: Claim) -> Claim | Settled:
        now = self._clock.now()
        claim = take(wanted, now, self._retry_seconds, lambda old, new: self._swap(wanted, old, new, now))
        if isinstance(claim, HeldByAnother):
            raise ClaimHeld(
                f"message {wanted.message_id}: another invocation is at {wanted.entry} until {claim.until:.0f}"
            )
        return claim

    def _swap(self, claim: Claim, old: Standing, new: Standing, now: float) -> Standing | None:
        """Store a claim's new form; return the stored one if it is not the one that was read."""
        one = swapped(claim, old, new, now, self._expires_at(now))
        done, found = self._write(one)
        return None if done else standing(found)

    def settle(self, claim: Claim, state: ClaimState, detail: str, refusals: Sequence[str] = ()) -> None:
        """Record what became of a claim.

        Once it is `released` nothing is unknown, and the hours until `ambiguous` start over. Raises ClaimLost if
        another invocation holds the claim by now.
        """
        ours, _ = self._write(self.settling(ClaimEnd(claim, state, detail, tuple(refusals))))
        if not ours:
            raise ClaimLost(f"message {claim.message_id}: {claim.entry} was taken over before {state.value!r}")

    def settle_all(self, endings: Sequence[ClaimEnd]) -> list[Temporary | None]:
        """Record what became of these claims of a message, at most ten, in one transaction if all are still ours;
        returns what `settle` would raise for each, if anything."""
        found: dict[int, Temporary | None] = {}
        together = list(range(len(endings)))
        while len(together) > 1:
            writes = [self.settling(endings[place]) for place in together]
            try:
                lost = [together[place] for place in self._items.lost("DynamoDB TransactWriteItems (settle)", writes)]
                found |= {} if lost else dict.fromkeys(together)
            except Temporary as failure:
                found |= dict.fromkeys(together, failure)
                lost = []
            together = [place for place in together if lost and place not in lost]
        for place, one in enumerate(endings):
            if place not in found:
                try:
                    found[place] = None
                    self.settle(one.claim, one.state, one.detail, one.refusals)
                except Temporary as failure:
                    found[place] = failure
        return [found[place] for place in range(len(endings))]

    def settling(self, one: ClaimEnd) -> Update:
        """The write of `settle`."""
        claim, state = one.claim, one.state
        update = "SET #state = :state, detail = :detail, settled_at = :now, refusals = :refusals"
        values = {
            ":state": state, ":detail": one.detail, ":now": int(self._clock.now()), ":owner": claim.owner,
            ":refusals": list(one.refusals),
        }  # fmt: skip
        if state is ClaimState.RELEASED:
            update += " REMOVE first_at"
        if claim.kind == VIA and state.accepted and one.detail:
            update, values = f"{update} ADD ses_ids :ids", {**values, ":ids": {one.detail}}
        key = {"message_id": claim.message_id, "entry": claim.entry}
        return Update(key, update, values, "#owner = :owner")

    def _write(self, one: Update) -> tuple[bool, dict[str, Any]]:
        """(whether the condition held, the item that failed it)."""
        what = f"DynamoDB UpdateItem ({one.key['entry'].partition(':')[0]})"
        return self._items.update(what, one.key, one.expression, one.values, condition=one.condition)

    def suspend(self, message_id: str, destination: Address, recipient: Address, reason: str) -> None:
        """Say that a destination got nothing because it is suspended; a later claim takes it over.

        An entry that says more is left alone: that of a claim that lives, of a message that was or may have been sent.
        """
        now = self._clock.now()
        idle = {f":{state}": state for state in ClaimState if state.idle}
        self._write(
            Update(
                {"message_id": message_id, "entry": f"{VIA}:{destination.key}"},
                "SET #state = :new, recipient = :recipient, destination = :destination, detail = :reason,"
                " settled_at = :now, expires_at = :expires_at",
                {
                    ":new": ClaimState.SUSPENDED, ":recipient": recipient.key, ":destination": str(destination),
                    ":reason": reason, ":now": int(now), ":expires_at": self._expires_at(now), **idle,
                },
                f"attribute_not_exists(#state) OR #state IN ({', '.join(idle)})",
            )
        )  # fmt: skip


def standing(entry: Mapping[str, Any]) -> Standing:
    """Parse a claim's entry. Raises ValueError for an unknown state."""
    if "state" not in entry:
        return Standing()
    return Standing(
        state=ClaimState(entry["state"]),
        owner=str(entry.get("owner", "")),
        lease_until=float(entry.get("lease_until", 0)),
        first_at=float(entry["first_at"]) if "first_at" in entry else None,
        attempts=int(entry.get("attempts", 0)),
        recipient=str(entry["recipient"]),
        detail=str(entry.get("detail", "")),
        refusals=tuple(entry.get("refusals", ())),
        before=ClaimState(entry["previous"]) if "previous" in entry else None,
        group=tuple(entry.get("recipients", ())),
    )


def swapped(claim: Claim, old: Standing, new: Standing, now: float, expires_at: int) -> Update:
    """The write of a claim's new form, on the condition that the stored one is unchanged since it was read."""
    attributes: dict[str, Any] = {
        "state": new.state, "owner": new.owner, "lease_until": int(new.lease_until), "attempts": new.attempts,
        "first_at": int(now if new.first_at is None else new.first_at), "recipient": new.recipient,
        "destination": str(claim.destination), "expires_at": expires_at,
    }  # fmt: skip
    if new.group:
        attributes["recipients"] = list(new.group)
    if new.before:
        attributes["previous"] = new.before
    if old.state and old.state.uncertain:
        attributes["id_unknown"] = True  # SES may have accepted it under an id that we never got
    if new.state and new.state.ends:
        attributes |= {"detail": new.detail, "settled_at": int(now)}
    condition = "attribute_not_exists(#state)"
    values = {f":{name}": value for name, value in attributes.items()}
    if old.state:
        condition = f"#state = :was AND {'#owner = :its' if old.owner else 'attribute_not_exists(#owner)'}"
        values |= {":was": old.state} | ({":its": old.owner} if old.owner else {})
    key = {"message_id": claim.message_id, "entry": claim.entry}
    return Update(key, "SET " + ", ".join(f"#{name} = :{name}" for name in attributes), values, condition)
