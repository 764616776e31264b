"""Our domains in one account and region, before the stack is there and after: what is asked of AWS and of public DNS,
each once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from postern_mail.domains.plan import Identity
from postern_mail.domains.records import Dkim, Manner, wanted

from .records.judge import Judged, judge, questions

if TYPE_CHECKING:
    from .aws.account import HostedZone, ReceiptRule, Sending
    from .records.public import Answers

MAIL_FROM_LABEL, DMARC_POLICY = "bounces", "none"  # the template's defaults, for a domain that is not set up yet


@dataclass(frozen=True)
class Surroundings:
    """The domains of a stack, "" for one that has no name yet. Each property raises Temporary."""

    domains: tuple[str, ...]
    stack: str = ""
    label: str = MAIL_FROM_LABEL
    dmarc_policy: str = DMARC_POLICY

    @cached_property
    def region(self) -> str:
        """The region that all of this is in."""
        from .aws import account  # noqa: PLC0415 (boto3 takes half a second)

        return account.region()

    @cached_property
    def sending(self) -> "Sending":
        """What SES lets the account do."""
        from .aws import account  # noqa: PLC0415

        return account.sending()

    @cached_property
    def rules(self) -> tuple[str, tuple["ReceiptRule", ...]]:
        """The active rule set and its rules."""
        from .aws import account  # noqa: PLC0415

        return account.active_rules()

    @cached_property
    def identities(self) -> Mapping[str, Identity | None]:
        """Each domain as SES has it."""
        from .aws import account  # noqa: PLC0415

        return {domain: account.identity(domain) for domain in self.domains}

    @cached_property
    def zones(self) -> Mapping[str, "HostedZone | None"]:
        """The hosted zone of each domain."""
        from .aws import account  # noqa: PLC0415

        return {domain: account.hosted_zone(domain) for domain in self.domains}

    @cached_property
    def records(self) -> Mapping[str, tuple[Judged, ...]]:
        """What each domain needs in DNS, and how it stands there. Without SES's answer nothing is known of DKIM."""
        return self.judged(self.identities)

    @cached_property
    def name_servers(self) -> Mapping[str, frozenset[str]]:
        """Where the world asks for each domain, or for the nearest one above it that has servers of its own."""
        from .records.public import ask  # noqa: PLC0415 (dnspython takes a tenth of a second)

        above = {domain: [".".join(domain.split(".")[n:]) for n in range(domain.count("."))] for domain in self.domains}
        answers = ask([(name, "NS") for names in above.values() for name in names])
        return {domain: _first(answers, names) for domain, names in above.items()}

    def judged(self, identities: Mapping[str, Identity | None]) -> dict[str, tuple[Judged, ...]]:
        """The records of each domain, for what SES says of them, and how they stand in DNS."""
        from .records.public import ask  # noqa: PLC0415

        needed = {}
        for domain in self.domains:
            identity = identities.get(domain)
            needed[domain] = wanted(domain, identity.dkim if identity else Dkim(), self._manner(domain, identity))
        asked = [question for domain, records in needed.items() for question in questions(domain, records)]
        answers = ask(asked)
        return {domain: tuple(judge(domain, one, answers) for one in records) for domain, records in needed.items()}

    def _manner(self, domain: str, identity: Identity | None) -> Manner:
        """The MAIL FROM domain that SES has, else the one that the stack would choose."""
        label = self.label if identity is None else identity.mail_from.removesuffix(f".{domain}")
        return Manner(self.region, label, self.dmarc_policy)


def _first(answers: "Answers", names: Iterable[str]) -> frozenset[str]:
    for name in names:
        found = frozenset(value for reply in answers[name, "NS"] for value in reply.values)
        if found:
            return found
    return frozenset()
