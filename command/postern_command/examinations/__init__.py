"""What `postern doctor` checks, in the order of its output. Each group is one heading."""

from collections.abc import Iterator
from functools import partial

from postern_mail.aws.watch import examinations as shared
from postern_mail.examination import Examination, Examined

from ..stack import Stack
from ..surroundings import Surroundings
from . import account, dns, domains, doors, people, receiving, stack

FIRST = (shared.RECEIVING, shared.SENDING)  # groups that have examinations of the account too


def examined(where: Stack) -> Iterator[Examined]:
    """The result of each examination of a deployed stack."""
    around = Surroundings(tuple(sorted(where.domains)) if where.get("domains") else (), where.deployed)
    yield from _run(where, shared.RECEIVING)
    foreign = partial(receiving.order, where.get("rule_set") or "")
    rules: Examination[Surroundings] = Examination(shared.RECEIVING, "rules", foreign, ("rule_set",))
    yield rules.run(around, where.get)
    yield from _run(where, shared.SENDING)
    yield from (one.run(around, where.get) for one in account.EXAMINATIONS)
    mailboxes: Examination[Surroundings] = Examination(
        shared.SENDING, "mailboxes", partial(account.unverified, where), ("aliases", "domains")
    )
    yield mailboxes.run(around, where.get)
    yield from (one.run(around, where.get) for one in dns.EXAMINATIONS)
    yield from (one.run(where, where.get) for one in domains.EXAMINATIONS)
    for group in dict.fromkeys(one.group for one in shared.EXAMINATIONS if one.group not in FIRST):
        yield from _run(where, group)
    yield from (one.run(where, where.get) for one in (*people.EXAMINATIONS, *stack.EXAMINATIONS, *doors.EXAMINATIONS))


def _run(where: Stack, group: str) -> Iterator[Examined]:
    return (one.run(where, where.get) for one in shared.EXAMINATIONS if one.group == group)
