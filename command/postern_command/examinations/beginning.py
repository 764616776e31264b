"""What `postern init` finds before there is a stack; it reports it, and proposes parameter values that follow."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from postern_mail.domains.records import DKIM, MAIL_FROM, MX, PARTS
from postern_mail.examination import Examination, Examined, Finding, Grade

from ..owner.parameters import Parameter
from ..records.judge import Judged, State
from ..surroundings import Surroundings
from . import account, doors

HERE, DOMAINS, BEFORE = "Account", "Domains", "Already there"
_TABLES = {
    "ExistingAliasTable": "aliases",
    "ExistingSenderTable": "senders",
    "ExistingDestinationTable": "destinations",
    "ExistingLedgerTable": "ledger",
}
_DELETED_FIRST = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")


@dataclass
class Beginning:
    """The account and domains of a future stack, and the values proposed for its parameters.

    `chosen` are the values of an existing file.
    """

    around: Surroundings
    parameters: Mapping[str, Parameter]
    receiving: frozenset[str]  # the regions in which SES receives
    chosen: Mapping[str, str] | None = None
    proposed: dict[str, str] = field(default_factory=dict)

    def propose(self, name: str, value: str) -> str:
        """Choose a value for a new file. Returns the text that tells the user."""
        if self.chosen is not None:
            return f"{name} is {value}" if self.chosen.get(name) == value else f'set {name}: "{value}" in the file'
        if name in self.parameters:
            self.proposed[name] = value
        return f"{name} is {value}"


def _caller(begun: Beginning) -> Iterator[Finding]:  # noqa: ARG001 (every examination takes it)
    from ..aws import account as aws  # noqa: PLC0415 (boto3 takes half a second)

    found = aws.caller()
    root = found.arn.endswith(":root")
    todo = "do not use root: use a user or role that may create roles" if root else ""
    yield Finding(f"account {found.account}, as {found.arn}", todo, Grade.WARNING if root else Grade.OK)


def _region(begun: Beginning) -> Iterator[Finding]:
    region = begun.around.region
    if region in begun.receiving:
        yield Finding(f"{region}: SES receives mail here", grade=Grade.OK)
    else:
        yield Finding(
            f"SES does not receive mail in {region}",
            f"choose another with AWS_REGION or --region: {', '.join(sorted(begun.receiving))}",
        )


def _stack(begun: Beginning) -> Iterator[Finding]:
    from ..aws import account as aws  # noqa: PLC0415 (boto3 takes half a second)

    name, status = begun.around.stack, aws.stack_status(begun.around.stack)
    if not status:
        yield Finding(f"there is no stack {name} yet", grade=Grade.OK)
    elif status in _DELETED_FIRST:
        todo = "`make delete`, with its STAGE if it has one"
        yield Finding(f"stack {name} is {status}: it cannot be updated", todo)
    elif status.endswith("IN_PROGRESS"):
        yield Finding(f"stack {name} is {status}", "wait until that is done", Grade.WARNING)
    else:
        yield Finding(f"stack {name} exists ({status}); `make deploy` updates it", grade=Grade.OK)


def _tables(begun: Beginning) -> Iterator[Finding]:
    from ..aws import account as aws  # noqa: PLC0415 (boto3 takes half a second)

    stack = begun.around.stack
    if aws.stack_status(stack):
        yield Finding("they belong to the stack", grade=Grade.OK)
        return
    names = {name: f"{stack}-{table}" for name, table in _TABLES.items()}
    there = set(aws.tables(names.values()))
    for name, table in names.items():
        if table in there:
            said = begun.propose(name, table)
            yield Finding(
                f"the table {table} of an earlier stack exists", f"the new stack will use it: {said}", Grade.WARNING
            )
    bucket = f"{stack}-mail-{aws.caller().account}-{begun.around.region}"
    if aws.has_bucket(bucket):
        said = begun.propose("ExistingMailBucket", bucket)
        yield Finding(
            f"the bucket {bucket} of an earlier stack exists", f"the new stack will use it: {said}", Grade.WARNING
        )
    if not there:
        yield Finding("no table of an earlier stack", grade=Grade.OK)


def _rule_set(begun: Beginning) -> Iterator[Finding]:
    active, rules = begun.around.rules
    if not active:
        yield Finding("no rule set is active; ours will be", grade=Grade.OK)
    elif active == begun.around.stack:
        yield Finding(f"our rule set {active} is active", grade=Grade.OK)
    else:
        said = f"{begun.propose('RuleSetMode', 'join')}, {begun.propose('ActiveRuleSet', active)}"
        yield Finding(
            f"the active rule set {active}, with {len(rules)} rules, is not ours",
            f"our rule will join it ({said}); take-over would replace it",
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
            yield Finding(f"{domain} is not an SES identity yet; the stack creates it", grade=Grade.OK)
        else:
            state = "verified" if found.verified else "not verified yet"
            yield Finding(f"{domain} is an SES identity, {state}; the stack keeps it unchanged", grade=Grade.OK)


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
                f"hosted zone {zone.id} of {zone.domain} is not in use: its name servers in public DNS are"
                f" {', '.join(sorted(asked))}",
                "the stack does not write to it; set its name servers at the registrar, or paste the records elsewhere",
                Grade.WARNING,
            )
            continue
        zones.append(zone.id)
        yield Finding(f"hosted zone {zone.id} of {zone.domain}: the stack writes the records into it", grade=Grade.OK)
    if zones:
        begun.propose("HostedZones", ",".join(dict.fromkeys(zones)))


def _mx(begun: Beginning) -> Iterator[Finding]:
    judged = begun.around.judged({})
    mx = {domain: one for domain, each in judged.items() for one in each if one.wanted.part == MX}
    for domain, one in mx.items():
        if one.state is State.IN_THE_WAY:
            yield Finding(
                f"mail for {domain} goes to {', '.join(one.there)}",
                f"that stays so until you change it; {one.todo}",
                Grade.WARNING,
            )
        elif one.state is State.NO_ANSWER:
            yield Finding(f"no resolver answers for the MX of {domain}", one.todo, Grade.NO_ANSWER)
        elif one.state is State.RIGHT:
            yield Finding(f"mail for {domain} already comes to SES here", grade=Grade.OK)
        else:
            unknown = "public DNS" in one.todo
            yield Finding(
                f"{domain} has no MX yet, so it gets no mail",
                one.todo if unknown else "",
                Grade.WARNING if unknown else Grade.OK,
            )
    if begun.proposed.get("HostedZones"):
        _propose_records(begun, {part for part in PARTS if _is_free(judged, part)})


def _is_free(judged: Mapping[str, tuple[Judged, ...]], part: str) -> bool:
    return all(one.state is State.MISSING for each in judged.values() for one in each if one.wanted.part == part)


def _propose_records(begun: Beginning, free: set[str]) -> None:
    """Propose the parts of DNS that the stack may write: those with nothing in the way."""
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


def examine(begun: Beginning) -> Iterator[Examined]:
    """The result of each examination; without credentials only public DNS is asked."""
    first, *others = EXAMINATIONS
    found = first.run(begun, str)
    yield found
    if found.grade is Grade.NO_ANSWER:
        others = [one for one in others if one.look is _mx]
    yield from (one.run(begun, str) for one in others)
