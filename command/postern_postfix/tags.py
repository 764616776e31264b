"""Tags as main.cf has them: here a tag always begins at `+`, in Postfix where `recipient_delimiter` says.

The look-up asks a domain's patterns between the tagged address and the one without its tag (docs/tables.md).
So a pattern takes `info-news@` to `info@` where `-` begins a tag, and `info+news@` to the catch-all where `+`
does not.
"""

import re

from postern_mail.mail.address import RECIPIENT_DELIMITER

from .box import Box
from .report import Report
from .rows import Draft


def tags_as_they_were(drafts: dict[str, Draft], box: Box, report: Report) -> None:
    """Add the patterns; says what differs from Postfix."""
    for domain in box.domains:
        if any(key.endswith(f"@{domain}") for key in drafts):
            _other_delimiters(drafts, domain, box, report)
            if RECIPIENT_DELIMITER not in box.delimiter:
                _plus_begins_no_tag(drafts, domain, report)


def _other_delimiters(drafts: dict[str, Draft], domain: str, box: Box, report: Report) -> None:
    others = "".join(one for one in dict.fromkeys(box.delimiter) if one != RECIPIENT_DELIMITER)
    if not others:
        return
    key, every = f"@{domain}", re.escape(box.delimiter)
    pattern = rf"([^{every}]+)[{re.escape(others)}].+"
    draft = drafts.setdefault(key, Draft(key, {"address": key, "destinations": []}, []))
    draft.row.setdefault("patterns", []).append({"pattern": pattern, "destinations": [rf"\1@{domain}"]})
    report.remark(
        f"at {domain} a tag begins at {others} too: a pattern takes name{others[0]}tag@ to name@, without the tag"
    )


def _plus_begins_no_tag(drafts: dict[str, Draft], domain: str, report: Report) -> None:
    draft = drafts.get(f"@{domain}")
    if draft is not None and draft.row["destinations"]:
        item = {"pattern": r".+\+.+", "destinations": list(draft.row["destinations"])}
        draft.row.setdefault("patterns", []).append(item)
        says = f"in main.cf + begins no tag: at {domain} a pattern takes name+tag@ to the catch-all, as Postfix did"
    else:
        says = f"in main.cf + begins no tag: at {domain} Postfix knew no name+tag@; here it goes where name@ leads"
    report.remark(says)
