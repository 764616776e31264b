"""Receipt rules and the recipients that they match.

docs.aws.amazon.com/ses, "Creating receipt rules": a recipient condition is an address, a domain
(that domain only) or `.domain` (its subdomains); an address also matches with a label added, and one with a label
only itself. What is not documented, or not seen on a real account, is in Readings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..template import Template, UnknownConstruct


@dataclass(frozen=True)
class Readings:
    """How unverified behaviour is played.

    `case_matters`: whether `Info@` differs from `info@` in a rule. `any_admits_all`: whether a message is accepted for
    all its recipients if a rule matches any of them, and rejected after the data if none does; otherwise each recipient
    that no rule matches is rejected on its own. `tags_match`: whether `info@` in a rule also matches `info+x@`.
    `null_sender`: the value of `mail.source` for a null sender, None if it is missing. `any_rule_may_write`: whether
    SES tests a bucket without the ARN of the rule that it creates.
    """

    case_matters: bool = False
    any_admits_all: bool = False
    tags_match: bool = True
    null_sender: str | None = ""
    any_rule_may_write: bool = False


USUAL = Readings()


@dataclass(frozen=True)
class Rule:
    """One rule; `actions` are (kind, properties) in order."""

    name: str
    recipients: tuple[str, ...]
    scan: bool
    actions: tuple[tuple[str, dict[str, Any]], ...]

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "Rule":
        """The rule in the template's or API's form."""
        actions = tuple(next(iter(action.items())) for action in body["Actions"])
        return cls(body["Name"], tuple(body.get("Recipients", ())), bool(body.get("ScanEnabled")), actions)

    def matches(self, recipient: str, readings: Readings = USUAL) -> bool:
        """Whether a recipient matches; a rule without conditions matches every recipient."""
        folded = _folded(recipient, readings)
        return not self.recipients or any(
            _meets(folded, _folded(wanted, readings), tags=readings.tags_match) for wanted in self.recipients
        )


@dataclass(frozen=True)
class Filter:
    """An IP filter: `policy` is Block or Allow."""

    policy: str
    cidr: str


def declared(template: Template) -> Sequence[dict[str, Any]]:
    """The rules of the template's rule set, in order."""
    found = []
    for resource in template.resources("AWS::SES::ReceiptRule").values():
        if "After" in resource:
            raise UnknownConstruct("After: the emulator takes rules in the template's order")
        found.append(resource["Rule"])
    return found


def _folded(address: str, readings: Readings) -> str:
    local, at, domain = address.rpartition("@")
    return f"{local if readings.case_matters else local.lower()}{at}{domain.lower()}"


def _meets(recipient: str, wanted: str, *, tags: bool) -> bool:
    local, _, domain = recipient.rpartition("@")
    if wanted.startswith("."):
        return domain.endswith(wanted)
    if "@" not in wanted:
        return domain == wanted
    return wanted == recipient or (tags and wanted == f"{local.partition('+')[0]}@{domain}")
