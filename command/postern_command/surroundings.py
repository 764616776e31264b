"""What AWS and public DNS say about our domains in one account and region, with or without a stack; each asked once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from postern_mail.domains.plan import Identity
from postern_mail.domains.records import Dkim, DnsOptions, wanted

from .records.judge import Judged, judge, questions

if TYPE_CHECKING:
    from .aws.account import HostedZone, ReceiptRule, Sending
    from .records.public import Answers

MAIL_FROM_LABEL, DMARC_POLICY = "bounces", "none"  # the template's defaults, before the domain is set up


@dataclass(frozen=True)
class Surroundings:
    """The domains of a stack (`stack` is "" before there is one), and their account. Each property raises Temporary."""

    domains: tuple[str, ...]
    stack: str = ""
    label: str = MAIL_FROM_LABEL
    dmarc_policy: str = DMARC_POLICY

    @cached_property
    def region(self) -> str:
        """The region."""
        from .aws import account  # noqa: PLC0415 (boto3 takes half a second)

        return account.region()

    @cached_property
    def sending(self) -> "Sending":
        """The account's sending quota and status in SES."""
        from .aws import account  # noqa: PLC0415

        return account.sending()

    @cached_property
    def rules(self) -> tuple[str, tuple["ReceiptRule", ...]]:
        """The name of the active receipt rule set, and its rules."""
        from .aws import account  # noqa: PLC0415

        return account.active_rules()

    @cached_property
    def identities(self) -> Mapping[str, Identity | None]:
        """The SES identity of each domain, None without one."""
        from .aws import account  # noqa: PLC0415

        return {domain: account.identity(domain) for domain in self.domains}

    @cached_property
    def zones(self) -> Mapping[str, "HostedZone | None"]:
        """The Route 53 hosted zone of each domain, None without one."""
        from .aws import account  # noqa: PLC0415

        return {domain: account.hosted_zone(domain) for domain in self.domains}

    @cached_property
    def records(self) -> Mapping[str, tuple[Judged, ...]]:
        """The DNS records that each domain needs, and their state in public DNS."""
        return self.judged(self.identities)

    @cached_property
    def name_servers(self) -> Mapping[str, frozenset[str]]:
        """The name servers of each domain, or of the nearest parent domain that has its own."""
        from .records.public import ask  # noqa: PLC0415 (dnspython takes a tenth of a second)

        above = {domain: [".".join(domain.split(".")[n:]) for n in range(domain.count("."))] for domain in self.domains}
        answers = ask([(name, "NS") for names in above.values() for name in names])
        return {domain: _first(answers, names) for domain, names in above.items()}

    def judged(self, identities: Mapping[str, Identity | None]) -> dict[str, tuple[Judged, ...]]:
        """The records that each domain needs given its SES identity, and their state in DNS. Without an identity, its
        DKIM records are unknown."""
        from .records.public import ask  # noqa: PLC0415

        needed = {}
        for domain in self.domains:
            identity = identities.get(domain)
            needed[domain] = wanted(domain, identity.dkim if identity else Dkim(), self._options(domain, identity))
        asked = [question for domain, records in needed.items() for question in questions(domain, records)]
        answers = ask(asked)
        return {domain: tuple(judge(domain, one, answers) for one in records) for domain, records in needed.items()}

    def _options(self, domain: str, identity: Identity | None) -> DnsOptions:
        """How the records are written, with the MAIL FROM domain that SES has, else the one the stack would set."""
        label = self.label if identity is None else identity.mail_from.removesuffix(f".{domain}")
        return DnsOptions(self.region, label, self.dmarc_policy)


def _first(answers: "Answers", names: Iterable[str]) -> frozenset[str]:
    for name in names:
        found = frozenset(value for reply in answers[name, "NS"] for value in reply.values)
        if found:
            return found
    return frozenset()
