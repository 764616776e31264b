"""Tags as main.cf has them: here a tag always begins at `+`, in Postfix where `recipient_delimiter` says.

The look-up asks a domain's patterns between the tagged address and the one without its tag (docs/tables.md).
So a pattern takes `info-news@` to `info@` if `-` starts a tag, and `info+news@` to the catch-all if `+` does not.
"""

import re

from postern_mail.mail.address import RECIPIENT_DELIMITER

from .box import Box
from .report import Report
from .rows import Draft

MOST_NAMES = 2000  # in one pattern: RE2 and DynamoDB rows have limits


def tags_as_they_were(drafts: dict[str, Draft], box: Box, report: Report) -> None:
    """Add the patterns. Reports differences from Postfix."""
    for domain in box.domains:
        if any(key.endswith(f"@{domain}") for key in drafts):
            _other_delimiters(drafts, domain, box, report)
            if RECIPIENT_DELIMITER not in box.delimiter:
                _plus_begins_no_tag(drafts, domain, report)


def _other_delimiters(drafts: dict[str, Draft], domain: str, box: Box, report: Report) -> None:
    others = "".join(one for one in dict.fromkeys(box.delimiter) if one != RECIPIENT_DELIMITER)
    if not others:
        return
    key, begins = f"@{domain}", f"[{re.escape(others)}]"
    head = f"[^{re.escape(box.delimiter)}]+"
    names = _names(drafts, domain, box)
    everywhere = list(drafts[key].row["destinations"]) if key in drafts else []
    if not names and not everywhere:
        return
    draft = drafts.setdefault(key, Draft(key, {"address": key, "destinations": []}, []))
    if names:
        known = head if len(names) > MOST_NAMES else "|".join(names)
        draft.add_pattern(f"({known}){begins}.+", [rf"\1@{domain}"])
    if everywhere:  # the first delimiter counts, not any later +
        draft.add_pattern(rf"{head}{begins}.*\+.+", everywhere)
    says = f"at {domain} a tag starts at {others} too: a pattern takes name{others[0]}tag@ to name@, without the tag;"
    report.remark(f"{says} unlike in Postfix, a name that contains {others[0]} can have a +tag here")


def _names(drafts: dict[str, Draft], domain: str, box: Box) -> list[str]:
    """The local parts, as patterns, of the rows that a tag may follow."""
    locals_ = (key.rpartition("@")[0] for key in drafts if key.rpartition("@")[2] == domain)
    return [re.escape(local) for local in locals_ if local and not any(one in local for one in box.delimiter)]


def _plus_begins_no_tag(drafts: dict[str, Draft], domain: str, report: Report) -> None:
    draft = drafts.get(f"@{domain}")
    if draft is not None and draft.row["destinations"]:
        draft.add_pattern(r".+\+.+", list(draft.row["destinations"]))
        says = f"in main.cf + does not start a tag: at {domain} a pattern takes name+tag@ to the catch-all, as before"
    else:
        says = f"in main.cf + does not start a tag: at {domain} name+tag@ was unknown; here it goes where name@ goes"
    report.remark(says)
