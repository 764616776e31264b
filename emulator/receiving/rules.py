"""Receipt rules, as the template declares them, and whom they match.

docs.aws.amazon.com/ses, "Creating receipt rules": a recipient condition is an address, a domain
(that domain only) or `.domain` (its subdomains); an address also matches with a label added. How
the case of a local part is treated is not documented; here it is ignored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..template import Template, UnknownConstruct


@dataclass(frozen=True)
class Rule:
    """One rule; `actions` are (kind, properties) in order."""

    name: str
    recipients: tuple[str, ...]
    scan: bool
    actions: tuple[tuple[str, dict[str, Any]], ...]

    def matches(self, recipient: str) -> bool:
        """Whether this recipient meets a condition; a rule without conditions takes everybody."""
        return not self.recipients or any(_meets(recipient.lower(), wanted.lower()) for wanted in self.recipients)


def rules(template: Template) -> Sequence[Rule]:
    """The enabled rules of the template's rule set, in order."""
    found = []
    for declared in template.resources("AWS::SES::ReceiptRule").values():
        if "After" in declared:
            raise UnknownConstruct("After: the emulator takes rules in the template's order")
        rule = declared["Rule"]
        if rule.get("Enabled", False):
            actions = tuple(next(iter(action.items())) for action in rule["Actions"])
            found.append(Rule(rule["Name"], tuple(rule.get("Recipients", ())), rule.get("ScanEnabled", False), actions))
    return found


def _meets(recipient: str, wanted: str) -> bool:
    local, _, domain = recipient.rpartition("@")
    if wanted.startswith("."):
        return domain.endswith(wanted)
    if "@" not in wanted:
        return domain == wanted
    return wanted in (recipient, f"{local.partition('+')[0]}@{domain}")
