"""Header lines for the mailbox's own filter: SES's verdicts and the results of screening.

A stranger's lines of these names are removed (`rewrite`). They hold nothing that a stranger wrote.
"""

import re
from collections.abc import Iterator

from .actions import MAX_PREPEND
from .score import Score
from .verdicts import ABSENT, Verdicts

LISTED = "X-Postern-Listed"
_NAMES = (
    ("X-Postern-Spam-Verdict", "spam"),
    ("X-Postern-Virus-Verdict", "virus"),
    ("X-Postern-SPF", "spf"),
    ("X-Postern-DKIM", "dkim"),
    ("X-Postern-DMARC", "dmarc"),
)
NAMES = (*(name for name, _ in _NAMES), LISTED)
_STATUS = re.compile(r"[A-Z_]{1,40}\Z")


def lines(verdicts: Verdicts, score: Score | None, *, all_of_them: bool) -> Iterator[str]:
    """The lines. Without `all_of_them` only the result of screening, if it found anything."""
    if all_of_them:
        for name, verdict in _NAMES:
            status = getattr(verdicts, verdict)
            yield f"{name}: {status if _STATUS.match(status) else ABSENT}"
    if score is not None and (all_of_them or score.findings):
        yield f"{LISTED}: {score}"[:MAX_PREPEND]
