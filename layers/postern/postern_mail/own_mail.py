"""One message of our own to one destination, claimed in the ledger like any sending, so that no one gets it twice."""

from typing import Protocol

from .errors import Refused, Temporary
from .mail.address import Address
from .mail.claims import Claim, Settled
from .mail.outcomes import ClaimState
from .mail.records import dataclass
from .ports.forward import Ledger, Mailer
from .sending import given_back


class Resent(Protocol):
    """The part of the log about possible duplicates."""

    def resent(self, claim: Claim) -> None:
        """As `ports.forward.MailLog` has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMail:
    """Sends Postern's own messages."""

    ledger: Ledger
    mailer: Mailer
    log: Resent

    def send(self, message_id: str, alias: Address, destination: Address, raw: bytes) -> Settled | None:
        """Send, and return the settled state, None if it was settled before; `message_id` identifies it in the ledger
        and in SES's events. Raises Temporary."""
        claim = self.ledger.claim(message_id, destination, alias)
        if isinstance(claim, Settled):
            return None
        if claim.uncertain:
            self.log.resent(claim)
        state, detail = ClaimState.SENT, ""
        try:
            detail = self.mailer.send(raw, alias, destination, message_id)
        except Temporary as failure:
            self.ledger.settle(claim, given_back(claim, failure), str(failure))
            raise
        except Refused as refusal:
            state, detail = ClaimState.FAILED, str(refusal)
        self.ledger.settle(claim, state, detail)
        return Settled(state, alias.key, "" if state is ClaimState.SENT else detail)
