"""Tells those who read an alias's mail what became of a message sent as the alias (`mail.send_as`).

It is noted for the owner first, so that nothing depends on the mail about it. Each destination of the alias is claimed
in the ledger like any other sending: an event that comes again, or is retried after a failure, tells no one twice.
"""

from collections.abc import Collection
from hashlib import sha256

from .errors import OverCap, Temporary
from .lookup import follow
from .mail import aliases, health
from .mail.address import Address
from .mail.feedback import Feedback
from .mail.outcomes import ClaimState
from .mail.records import dataclass
from .mail.returned import notice
from .mail.rows import Rows
from .mail.send_as import SentAs
from .own_mail import OwnMail
from .ports.clock import Clock
from .ports.feedback import ReturnedLimits, ReturnedLog, Sending
from .ports.forward import Ledger, Mailer, Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """Writes to the destinations of an alias. `domains` are ours, `stack` is its name."""

    stack: str
    tables: Tables
    domains: Collection[str]
    ledger: Ledger
    mailer: Mailer
    limits: ReturnedLimits
    clock: Clock
    log: ReturnedLog

    def tell(self, mail: SentAs) -> None:
        """Tell each destination that was not told yet. Safe to repeat. Raises Temporary. What cannot be told, because
        the alias has no destination that gets mail or was told too often this hour, is in the owner's digest."""
        found = self._destinations(mail.address)
        if not found:
            self.log.untold(mail, "no destination of the alias gets mail")
            return
        try:
            self.limits.admit(mail)
        except OverCap as full:
            self.log.untold(mail, str(full))
            return
        raw = notice(mail)
        failures = [failure for one in found if (failure := self._tell(mail, raw, one))]
        if failures:
            raise failures[0]

    def tell_replier(self, feedback: Feedback, sending: Sending) -> None:
        """Tell the writer of a reply that it did not arrive, with SES's words. Raises Temporary."""
        from .mail.replying import notices  # noqa: PLC0415 (only for replies)

        alias, home = Address.parse(sending.alias), Address.parse(sending.replier)
        text = notices.not_delivered(alias, sending.destination, feedback.why, feedback.message_id, self.stack)
        one = sha256(sending.destination.encode()).hexdigest()[:12]
        own_mail = OwnMail(ledger=self.ledger, mailer=self.mailer, log=self.log)
        own_mail.send(f"reply-{feedback.message_id}-{one}", alias, home, notices.mail(alias, *text))

    def _destinations(self, address: Address) -> list[Address]:
        """The alias's destinations now, without suspended ones."""
        rows, now = Rows(), self.clock.now()
        follow(self.tables, [address], rows, self.domains, now)
        leads_to = aliases.resolve(address, rows, self.domains, now).destinations
        known = self.tables.read((), (), [one.key for one in leads_to]).destinations if leads_to else {}
        return [one for one in leads_to if not health.is_suspended(known.get(one.key))]

    def _tell(self, mail: SentAs, raw: bytes, destination: Address) -> Temporary | None:
        """Tell one destination; return the failure if it may pass, None otherwise."""
        own_mail = OwnMail(ledger=self.ledger, mailer=self.mailer, log=self.log)
        try:
            end = own_mail.send(mail.message_id, mail.address, destination, raw)
        except Temporary as failure:
            return failure
        if end is not None and end.state is ClaimState.FAILED:
            self.log.untold(mail, end.reason)
        return None
