"""How a claim stands in the ledger: an entry understood, and the write that puts one in the place of another."""

from collections.abc import Mapping
from typing import Any

from ...mail.claims import Claim, Standing
from ...mail.outcomes import ClaimState
from ..items import Update


def standing(entry: Mapping[str, Any]) -> Standing:
    """A claim as its entry has it. Raises ValueError for a state that is none."""
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
    """The write of how a claim stands, on the condition that it stood as it was read."""
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
        attributes["id_unknown"] = True  # SES may have taken it under an id that nobody heard
    if new.state and new.state.ends:
        attributes |= {"detail": new.detail, "settled_at": int(now)}
    condition = "attribute_not_exists(#state)"
    values = {f":{name}": value for name, value in attributes.items()}
    if old.state:
        condition = f"#state = :was AND {'#owner = :its' if old.owner else 'attribute_not_exists(#owner)'}"
        values |= {":was": old.state} | ({":its": old.owner} if old.owner else {})
    key = {"message_id": claim.message_id, "entry": claim.entry}
    return Update(key, "SET " + ", ".join(f"#{name} = :{name}" for name in attributes), values, condition)
