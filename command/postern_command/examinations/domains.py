"""The domains that the stack no longer has."""

from collections.abc import Iterator

from postern_mail.examination import Examination, Finding, Grade

from ..stack import Stack


def _left(where: Stack) -> Iterator[Finding]:
    from ..aws import domains as aws  # noqa: PLC0415 (boto3 takes half a second)

    if not where.deployed:
        yield Finding("only checked for a deployed stack", grade=Grade.NOT_CHECKED)
        return
    for domain in aws.left_behind(where):
        yield Finding(
            f"{domain} still has its identity and its records", f"`postern domain remove {domain}`", Grade.WARNING
        )


DOMAINS = "Domains"
EXAMINATIONS: tuple[Examination[Stack], ...] = (Examination(DOMAINS, "domains taken out", _left, ("domains",)),)
