"""The domains that the stack no longer has."""

from collections.abc import Iterator

from postern_mail.examination import Examination, Finding, Grade

from ..domain import wish
from ..stack import Stack


def _left(where: Stack) -> Iterator[Finding]:
    from ..aws import domains as aws  # noqa: PLC0415 (boto3 takes half a second)

    if not where.deployed:
        yield Finding("only checked for a deployed stack", grade=Grade.NOT_CHECKED)
        return
    for one in aws.left_behind(where, wish(where, aws.region())):
        seen = f"{one.domain} is not in Domains, but {one.trace}" if one.trace else ""
        yield Finding(
            seen or f"{one.domain} still has its identity and its records",
            f"`postern domain remove {one.domain}`{', or put it back into Domains' if seen else ''}",
            Grade.WARNING,
        )


DOMAINS = "Domains"
EXAMINATIONS: tuple[Examination[Stack], ...] = (Examination(DOMAINS, "domains taken out", _left, ("domains",)),)
