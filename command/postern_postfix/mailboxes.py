"""virtual_mailbox_maps: the addresses that are mailboxes on the box (virtual(8)).

Only the keys count; the values are paths on the box.
"""

from collections.abc import Iterable

from postern_mail.mail.address import Address, InvalidAddress

from .access5 import pair
from .box import Box, Kind
from .lookups import Lookups
from .report import Part, Report, impossible, left_behind, taken, unneeded, unreadable
from .source import Line


def lost_mailbox(address: str) -> Part:
    """The verdict on a virtual mailbox without a new home in --mailbox."""
    instead = "give it a new home: --mailbox ADDRESS=someone@elsewhere.example"
    return impossible(f"{address}: it was a virtual mailbox on the box", instead)


def say_mailboxes(lines: Iterable[Line], patterns: bool, box: Box, lookups: Lookups, report: Report) -> None:
    """Report each line of a table of patterns or addresses."""
    pattern = impossible("a pattern for virtual mailboxes on the box", "give each mailbox a new home: --mailbox")
    for line in lines:
        report.say(line, pattern if patterns else _part(line, box, lookups))


def _part(line: Line, box: Box, lookups: Lookups) -> Part:
    both = pair(line)
    if line.unreadable:
        return unreadable(line)
    if both is None:
        return left_behind("not a pair of key and value", "fix the line or remove it; Postfix ignores it")
    local, at, domain = both[0].rpartition("@")
    try:
        address = Address.parse(f"{local or 'x'}@{domain}") if at else None
    except InvalidAddress:
        return impossible(f"{both[0]} is not a mail address", "SES accepts ASCII only: give it another address")
    if address is None:
        return taken(f"{domain} is a domain of virtual mailboxes") if domain in box.domains else unneeded("no address")
    if address.domain not in box.domains or box.kinds(address.domain) is not Kind.MAILBOX:
        return unneeded(f"{both[0]} is not at a mailbox domain of this import")
    return _address(address, box, lookups) if local else _everybody(address.domain, lookups)


def _address(address: Address, box: Box, lookups: Lookups) -> Part:
    answer = lookups.find(address)
    if answer is not None:
        return unneeded(f"{answer.owner.line.place} takes that mail first, in Postfix too")
    home = box.mailboxes.get(address.key)
    return taken(f"{address.key}: {home}") if home else lost_mailbox(address.key)


def _everybody(domain: str, lookups: Lookups) -> Part:
    answer = lookups.domain(domain)
    if answer is not None:
        return unneeded(f"{answer.owner.line.place} takes that mail first, in Postfix too")
    says = f"@{domain}: a virtual mailbox on the box got the mail for all other addresses"
    return impossible(says, "add the row @domain with its destination")
