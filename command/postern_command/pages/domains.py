"""The DNS records of each domain, as `postern dns` has them."""

from itertools import groupby

from postern_mail.domains.records import PARTS

from ..dns import Looks, as_object
from .asked import Asked
from .desk import Desk
from .rendering import Shown


def domains(desk: Desk, _: Asked) -> Shown:
    """Asked of public DNS at each look."""
    looked = Looks(sorted(desk.policy.own_domains), None, frozenset(PARTS)).look()
    rows = [as_object(domain, one) for domain, one in looked.each()]
    data = {
        "title": "Domains",
        "by_domain": [(domain, list(each)) for domain, each in groupby(rows, lambda row: str(row["domain"]))],
        "told": looked.told,
        "warnings": looked.warnings,
        "command": desk.command("dns"),
    }
    return Shown("domains.html", data, told=rows)


PAGES = {"/domains": domains}
