"""What is there before a stack is: looked at by `postern init`, which says it, and writes what follows from it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from postern_mail.domains.records import DKIM, MAIL_FROM, MX, PARTS
from postern_mail.examination import Examination, Examined, Finding, Grade

from ..owner.parameters import Parameter
from ..records.judge import Judged, State
from ..surroundings import Surroundings
from . import account, doors

HERE, DOMAINS, BEFORE = "Where it goes", "Domains", "What is there already"
_TABLES = {
    "ExistingAliasTable": "aliases",
    "ExistingSenderTable": "senders",
    "ExistingDestinationTable": "destinations",
    "ExistingLedgerTable": "ledger",
}
_DELETED_FIRST = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")


@dataclass
class Beginning:
    """What is around a stack that is to be, and what is proposed for its parameters.

    `chosen` are the values of a file that is there.
    """

    around: Surroundings
    parameters: Mapping[str, Parameter]
    receiving: frozenset[str]  # the regions in which SES receives
    chosen: Mapping[str, str] | None = None
    proposed: dict[str, str] = field(default_factory=dict)

    def propose(self, name: str, value: str) -> str:
        """Choose a value for a new file; returns what is said of it."""
        if self.chosen is not None:
            return f"{name} is {value}" if self.chosen.get(name) == value else f'set {name}: "{value}" in the file'
        if name in self.parameters:
            self.proposed[name] = value
        return f"{name} is {value}"


def _caller(begun: Beginning) -> Iterator[Finding]:  # noqa: ARG001 (all looks take it)
    from ..aws import account as aws  # noqa: PLC0415 (boto3 takes half a second)

    found = aws.caller()
    root = found.arn.endswith(":root")
    todo = "better not as root: a user or a role that may create roles" if root else ""
    yield Finding(f"account {found.account}, as {found.arn}", todo, Grade.WARNING if root else Grade.OK)


def _region(begun: Beginning) -> Iterator[Finding]:
    region = begun.around.region
    if region in begun.receiving:
        yield Finding(f"{region}: SES receives mail there", grade=Grade.OK)
    else:
        yield Finding(
            f"SES does not receive mail in {region}",
            f"choose another, by AWS_REGION or --region: {', '.join(sorted(begun.receiving))}",
        )


def _stack(begun: Beginning) -> Iterator[Finding]:
    from ..aws import account as aws  # noqa: PLC0415 (boto3 takes half a second)

    name, status = begun.around.stack, aws.stack_status(begun.around.stack)
    if not status:
        yield Finding(f"there is no stack {name} yet", grade=Grade.OK)
    elif status in _DELETED_FIRST:
        yield Finding(f"the stack {name} is {status}: it cannot be updated", f"`sam delete --stack-name {name}`")
    elif status.endswith("IN_PROGRESS"):
        yield Finding(f"the stack {name} is {status}", "wait until it is done", Grade.WARNING)
    else:
        yield Finding(f"the stack {name} is there ({status}); `make deploy` updates it", grade=Grade.OK)


def _tables(begun: Beginning) -> Iterator[Finding]:
    from ..aws import account as aws  # noqa: PLC0415 (boto3 takes half a second)

    stack = begun.around.stack
    if aws.stack_status(stack):
        yield Finding("they are the stack's", grade=Grade.OK)
        return
    names = {name: f"{stack}-{table}" for name, table in _TABLES.items()}
    there = set(aws.tables(names.values()))
    for name, table in names.items():
        if table in there:
            said = begun.propose(name, table)
            yield Finding(
                f"the table {table} of an earlier stack is there", f"it goes on with it: {said}", Grade.WARNING
            )
    bucket = f"{stack}-mail-{aws.caller().account}-{begun.around.region}"
    if aws.has_bucket(bucket):
        said = begun.propose("ExistingMailBucket", bucket)
        yield Finding(f"the bucket {bucket} of an earlier stack is there", f"it goes on with it: {said}", Grade.WARNING)
    if not there:
        yield Finding("no table of an earlier stack", grade=Grade.OK)


def _rule_set(begun: Beginning) -> Iterator[Finding]:
    active, rules = begun.around.rules
    if not active:
        yield Finding("no rule set is active: ours will be", grade=Grade.OK)
    elif active == begun.around.stack:
        yield Finding(f"{active} is active, which is ours", grade=Grade.OK)
    else:
        said = f"{begun.propose('RuleSetMode', 'join')}, {begun.propose('ActiveRuleSet', active)}"
        yield Finding(
            f"the rule set {active} of another owner is active, with {len(rules)} rules",
            f"our rule joins it ({said}); take-over would replace it",
            Grade.WARNING,
        )


def _doors(begun: Beginning) -> Iterator[Finding]:
    from ..aws import account as aws  # noqa: PLC0415 (boto3 takes half a second)
    from ..aws import reach  # noqa: PLC0415

    stack = begun.around.stack
    wanted = begun.chosen or {}
    there = any(wanted.get(name) == "true" for name in doors.DOORS) and bool(aws.stack_status(stack))
    yield from doors.fit(wanted, reach.described(stack)[1] if there else {})


def _identities(begun: Beginning) -> Iterator[Finding]:
    for domain, found in begun.around.identities.items():
        if found is None:
            yield Finding(f"{domain} is no identity of SES yet: the stack makes it one", grade=Grade.OK)
        else:
            state = "verified" if found.verified else "not verified yet"
            yield Finding(f"{domain} is an identity of SES, {state}: it is kept as it is", grade=Grade.OK)


def _zones(begun: Beginning) -> Iterator[Finding]:
    zones = []
    for domain, zone in begun.around.zones.items():
        if zone is None:
            yield Finding(
                f"{domain} has no hosted zone in this account: `postern dns` shows what to paste", grade=Grade.OK
            )
            continue
        asked = begun.around.name_servers[domain]
        if zone.servers and asked and not zone.servers & asked:
            yield Finding(
                f"the hosted zone {zone.id} of {zone.domain} is here, but the world asks {', '.join(sorted(asked))}",
                "nothing is written into it; set its name servers at the registrar, or paste the records elsewhere",
                Grade.WARNING,
            )
            continue
        zones.append(zone.id)
        yield Finding(
            f"the hosted zone {zone.id} of {zone.domain}: the stack writes the records into it", grade=Grade.OK
        )
    if zones:
        begun.propose("HostedZones", ",".join(dict.fromkeys(zones)))


def _mx(begun: Beginning) -> Iterator[Finding]:
    judged = begun.around.judged({})
    mx = {domain: one for domain, each in judged.items() for one in each if one.wanted.part == MX}
    for domain, one in mx.items():
        if one.state is State.IN_THE_WAY:
            yield Finding(
                f"the mail of {domain} goes to {', '.join(one.there)}",
                f"it stays so until you change it; {one.todo}",
                Grade.WARNING,
            )
        elif one.state is State.NO_ANSWER:
            yield Finding(f"no server answers for the MX of {domain}", one.todo, Grade.NO_ANSWER)
        elif one.state is State.RIGHT:
            yield Finding(f"the mail of {domain} comes to SES here already", grade=Grade.OK)
        else:
            unknown = "public DNS" in one.todo
            yield Finding(
                f"no mail of {domain} goes anywhere yet",
                one.todo if unknown else "",
                Grade.WARNING if unknown else Grade.OK,
            )
    if begun.proposed.get("HostedZones"):
        _propose_records(begun, {part for part in PARTS if _is_free(judged, part)})


def _is_free(judged: Mapping[str, tuple[Judged, ...]], part: str) -> bool:
    return all(one.state is State.MISSING for each in judged.values() for one in each if one.wanted.part == part)


def _propose_records(begun: Beginning, free: set[str]) -> None:
    """The parts of the DNS that the stack may write: those where nothing is in the way."""
    begun.propose("Records", ",".join(part for part in PARTS if part in (DKIM, MAIL_FROM) or part in free))


EXAMINATIONS: tuple[Examination[Beginning], ...] = (
    Examination(HERE, "credentials", _caller),
    Examination(HERE, "region", _region),
    Examination(HERE, "stack", _stack),
    Examination(BEFORE, "tables and mail", _tables),
    Examination(BEFORE, "rule set", _rule_set),
    Examination(BEFORE, "doors", _doors),
    Examination(DOMAINS, "identity", _identities),
    Examination(DOMAINS, "hosted zone", _zones),
    Examination(DOMAINS, "MX", _mx),
    Examination(account.GROUP, "sandbox", lambda begun: account.sandbox(begun.around)),
    Examination(
        account.GROUP, "sending", lambda begun: (*account.paused(begun.around), *account.standing(begun.around))
    ),
    Examination(account.GROUP, "price plan", lambda begun: account.price_plan(begun.around)),
)


def looked(begun: Beginning) -> Iterator[Examined]:
    """How each look ends; without credentials only public DNS is asked."""
    first, *others = EXAMINATIONS
    found = first.run(begun, str)
    yield found
    if found.grade is Grade.NO_ANSWER:
        others = [one for one in others if one.look is _mx]
    yield from (one.run(begun, str) for one in others)
