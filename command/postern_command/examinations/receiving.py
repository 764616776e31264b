"""The active receipt rule set: our rules, and other rules before and after them."""

from collections.abc import Collection, Iterator

from postern_mail.examination import Finding, Grade

from ..surroundings import Surroundings


def matches(recipients: Collection[str], domains: Collection[str]) -> list[str]:
    """Our domains for which a rule takes some or all mail; a rule without recipients takes all.

    docs.aws.amazon.com/ses, "Creating receipt rules": a domain, .domain for its subdomains, or an address.
    """
    if not recipients:
        return sorted(domains)
    named = [one.rpartition("@")[2].lower() for one in recipients]
    return sorted(
        one for one in domains if any(name == one or (name.startswith(".") and one.endswith(name)) for name in named)
    )


def order(rule_set: str, around: Surroundings) -> Iterator[Finding]:
    """Other rules that act on our mail, and our own that are disabled."""
    active, rules = around.rules
    ours = [rule for rule in rules if rule.name.startswith(f"{around.stack or rule_set}-")]
    for rule in ours:
        if not rule.enabled:
            yield Finding(f"our rule {rule.name} is disabled in {active}", "enable it in the SES console")
    if active != rule_set:
        return  # another examination says so
    if not ours:
        yield Finding(f"the active rule set {active} has no rule of ours: no mail comes in", "`make deploy`")
        return
    first = rules.index(ours[0])
    for place, rule in enumerate(rules):
        taken = matches(rule.recipients, around.domains) if rule not in ours and rule.enabled else []
        if not taken:
            continue
        told = f"the rule {rule.name}, not ours, takes mail for {', '.join(taken)} too"
        if place < first and rule.stops:
            yield Finding(
                f"{told}, before ours, and stops there: Postern never sees it", "move it after ours, or delete it"
            )
        else:
            yield Finding(told, "delete it unless both rules should act on the same mail", Grade.WARNING)
    yield Finding(f"{len(rules)} rules in {active}, {len(ours)} of them ours", grade=Grade.OK)
