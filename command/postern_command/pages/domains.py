"""The DNS records of each domain, as in `postern dns`."""

from itertools import groupby

from postern_mail.domains.records import PARTS

from ..dns import DnsChecker, as_object
from .asked import Asked
from .desk import Desk
from .rendering import Shown


def domains(desk: Desk, _: Asked) -> Shown:
    """The records, checked in public DNS each time."""
    looked = DnsChecker(sorted(desk.policy.own_domains), None, frozenset(PARTS)).check()
    rows = [as_object(domain, one) for domain, one in looked.each()]
    data = {
        "title": "Domains",
        "by_domain": [(domain, list(each)) for domain, each in groupby(rows, lambda row: str(row["domain"]))],
        "told": looked.progress,
        "warnings": looked.warnings,
        "command": desk.command("dns"),
    }
    return Shown("domains.html", data, told=rows)


PAGES = {"/domains": domains}
