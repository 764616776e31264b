"""Whether SES has verified the records of our domains, and public DNS has them."""

from collections.abc import Callable, Iterator

from postern_mail.domains.records import DKIM, DMARC, MAIL_FROM, MX, SPF
from postern_mail.examination import Examination, Finding, Grade

from ..records.judge import Judged, State
from ..surroundings import Surroundings
from .domains import DOMAINS

_GRADES = {
    State.RIGHT: Grade.OK,
    State.MISSING: Grade.FAILED,
    State.NOT_EVERYWHERE: Grade.WARNING,
    State.IN_THE_WAY: Grade.FAILED,
    State.NO_ANSWER: Grade.NO_ANSWER,
}
ADVICE = Grade.WARNING  # the worst grade for a record that is only advised


def signing(around: Surroundings) -> Iterator[Finding]:
    """Whether SES signs what it sends for each domain that it has verified."""
    for domain, found in around.identities.items():
        if found is None or not found.verified:
            continue  # another examination says so
        if not found.signs or (found.easy and found.dkim_status not in ("", "SUCCESS")):
            status = found.dkim_status.lower().replace("_", " ") if found.signs else "turned off"
            yield Finding(f"DKIM for {domain}: {status}", "`postern dns` shows its records", Grade.WARNING)
        else:
            yield Finding(f"mail from {domain} is signed", grade=Grade.OK)


def mail_from(around: Surroundings) -> Iterator[Finding]:
    """Whether SES uses the custom MAIL FROM domain."""
    for domain, found in around.identities.items():
        if found is None or not found.mail_from:
            yield Finding(f"{domain} has no custom MAIL FROM: SPF passes for amazonses.com only", grade=Grade.OK)
        elif found.mail_from_status == "SUCCESS":
            yield Finding(f"{found.mail_from} is in use", grade=Grade.OK)
        else:
            status = found.mail_from_status.lower().replace("_", " ") or "not checked yet"
            yield Finding(
                f"{found.mail_from}: {status}; SES uses its own domain until then",
                "`postern dns` shows its records",
                ADVICE,
            )


def _of(*parts: str) -> Callable[[Surroundings], Iterator[Finding]]:
    """An examination of some parts of DNS."""

    def look(around: Surroundings) -> Iterator[Finding]:
        for records in around.records.values():
            for one in records:
                if one.wanted.part in parts:
                    yield finding(one)

    return look


def finding(one: Judged) -> Finding:
    """A record as a finding."""
    grade = _GRADES[one.state]
    if not one.needed and grade is Grade.FAILED:
        grade = ADVICE
    there = ", ".join(one.there) or "nothing"
    return Finding(f"{one.wanted.set.type} {one.wanted.set.name}: {one.state}: {there}", one.todo, grade)


EXAMINATIONS: tuple[Examination[Surroundings], ...] = (
    Examination(DOMAINS, "DKIM", signing),
    Examination(DOMAINS, "DKIM in DNS", _of(DKIM)),
    Examination(DOMAINS, "MAIL FROM", mail_from),
    Examination(DOMAINS, "MAIL FROM in DNS", _of(MAIL_FROM)),
    Examination(DOMAINS, "MX", _of(MX)),
    Examination(DOMAINS, "SPF", _of(SPF)),
    Examination(DOMAINS, "DMARC", _of(DMARC)),
)
