"""The daily test message: sent to ourselves by SES and the public MX, and awaited by the watch.

It is sent to a domain only if SES has verified the domain and sending is enabled for the account, and if public DNS,
queried in the same run, names this region's SES as the only MX: a message that cannot come back bounces, and bounces
count against the account. If it is not sent, the record says why, and the watch tells people.

A run that is killed while it sends is repeated, so a test may arrive twice: that is harmless, because it reaches no
mailbox, while a test that was never sent would look like lost mail.
"""

from collections.abc import Collection

from .errors import ClaimHeld, Misconfigured, Refused, Temporary
from .mail import daily_test
from .mail.daily_test import Record, Stage
from .mail.dns import Answers, Question
from .mail.records import dataclass, replace
from .mail.tags import destination_tag
from .ports.clock import Clock
from .ports.daily_test import AccountFacts, DailyBook, DailyLog, Resolver
from .ports.forward import Mailer
from .ports.settings import OwnerSettings

SECONDS = 10.0  # for all DNS queries; no mail waits for them


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyTest:
    """Sends the tests that are due. `host` is where SES receives mail in this region; `lease` is longer than the
    function runs."""

    domains: Collection[str]
    host: str
    settings: OwnerSettings
    account: AccountFacts
    resolver: Resolver
    book: DailyBook
    mailer: Mailer
    clock: Clock
    log: DailyLog
    tag_key: bytes
    lease: int

    def run(self) -> None:
        """Examine each domain once a day, and send its test. Raises Temporary, after the other domains were
        examined."""
        day, records = daily_test.day_of(self.clock.now()), self.book.records()
        due = [one for one in self.domains if one not in records or not records[one].is_done(day)]
        if not due:
            return
        reasons = self._reasons(due)
        failures: list[Temporary] = []
        for domain in due:
            try:
                self._one(domain, records.get(domain), day, *reasons[domain])
            except Temporary as failure:
                failures.append(failure)
        if failures:
            raise failures[0]

    def _reasons(self, due: Collection[str]) -> dict[str, tuple[Stage, str]]:
        """The stage of each domain, and why its test is not sent, if so."""
        try:
            wanted = self.settings.read().daily_test
        except Misconfigured as fault:
            return dict.fromkeys(due, (Stage.HELD, str(fault)))
        if not wanted:
            return dict.fromkeys(due, (Stage.OFF, ""))
        account = self.account()
        found = {one: daily_test.not_by_account(one, account) for one in due}
        answers = self._ask([one for one, why in found.items() if not why])
        for one, why in found.items():
            found[one] = why or daily_test.not_by_dns(one, answers.get(Question(one, "MX")), self.host)
        return {one: (Stage.HELD if why else Stage.SENDING, why) for one, why in found.items()}

    def _ask(self, domains: Collection[str]) -> Answers:
        return self.resolver.ask([Question(one, "MX") for one in domains], SECONDS) if domains else {}

    def _one(self, domain: str, before: Record | None, day: str, stage: Stage, why: str) -> None:
        now = self.clock.now()
        if before is not None and before.stage is Stage.SENDING and before.day == day:
            if before.arrived_at or before.bounce:  # proof that it was sent
                self.book.ended(domain, before.tag, Stage.SENT)
                return
            if now < before.at + self.lease:
                raise ClaimHeld(f"another run is sending the daily test of {domain}, or died doing so")
        elif stage is Stage.SENDING and (why := daily_test.not_after_bounces(before, now)):
            stage = Stage.HELD
        if stage is Stage.SENDING:
            self._send(domain, before, day)
            return
        kept = before or Record(day, now, stage)
        if self.book.look(domain, before, replace(kept, day=day, at=now, stage=stage, why=why)):
            self.log.daily_test(domain, stage, why)

    def _send(self, domain: str, before: Record | None, day: str) -> None:
        me, now = daily_test.address(domain), self.clock.now()
        message_id = daily_test.message_id(day)
        tag = destination_tag(self.tag_key, message_id, me)
        bounces = before.in_a_row if before else 0
        after = Record(day, now, Stage.SENDING, tag=tag, sent_at=now, bounces=bounces)
        if not self.book.look(domain, before, after):
            return
        try:
            self.mailer.send(daily_test.raw(domain, day, tag), me, me, message_id)
        except Temporary:
            self.book.ended(domain, tag, Stage.SENDING)
            raise
        except Refused as refusal:
            self.book.ended(domain, tag, Stage.REFUSED, str(refusal))
            self.log.daily_test(domain, Stage.REFUSED, str(refusal))
        else:
            self.book.ended(domain, tag, Stage.SENT)
            self.log.daily_test(domain, Stage.SENT, "")
