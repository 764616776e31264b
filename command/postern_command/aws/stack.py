"""The live tables of a stack, for the command: their names, our own domains, and the client that reaches them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from postern_mail.aws import clients
from postern_mail.aws.failures import translated
from postern_mail.aws.tables import DynamoTables
from postern_mail.errors import Misconfigured
from postern_mail.mail.senders import DOT, PARENT

from .suspensions import Suspensions
from .table_rows import TableRows

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Outputs and parameters of template.yaml.
_ALIAS_TABLE, _SENDER_TABLE, _DESTINATION_TABLE = "AliasTableName", "SenderTableName", "DestinationTableName"
_DOMAINS = ("Domain", "Domain2", "Domain3", "Domain4", "Domain5")
_PARENT_DOMAINS = "ParentDomainMatchesSubdomains"
_SCREENING = {"spam": "SpamAction", "virus": "VirusAction", "dmarc": "DmarcAction"}


@dataclass(frozen=True, slots=True)
class Live:
    """The tables that mail is handled by now. `domains` are our own, in lower case and as A-labels."""

    alias_table: str
    sender_table: str
    domains: frozenset[str]
    client: "DynamoDBClient" = field(repr=False)
    parent_style: str = PARENT
    destination_table: str = ""
    screening: Mapping[str, str] = field(default_factory=dict)

    @property
    def tables(self) -> DynamoTables:
        """The tables behind the port `read`."""
        return DynamoTables(self.client, self.alias_table, self.sender_table, self.destination_table)

    @property
    def rows(self) -> TableRows:
        """Both tables as a whole, to list and to write."""
        return TableRows(self.client, {"aliases": self.alias_table, "senders": self.sender_table})

    @property
    def suspensions(self) -> Suspensions:
        """The health of destinations, to list and to mend."""
        return Suspensions(self.client, self.destination_table)


def named(
    alias_table: str,
    sender_table: str,
    domains: Iterable[str],
    parent_style: str = PARENT,
    destination_table: str = "",
    screening: Mapping[str, str] | None = None,
) -> Live:
    """Tables whose names are known. AWS is not asked; raises Temporary where boto3 has no region."""
    with reaching("DynamoDB"):
        client = clients.dynamodb()
    return Live(alias_table, sender_table, frozenset(domains), client, parent_style, destination_table, screening or {})


def deployed(stack: str) -> Live:
    """The tables of a stack, by its outputs, and the domains it was deployed for.

    Raises Temporary if AWS or the network fails, Misconfigured if this is no stack of Postern's.
    """
    outputs, parameters = described(stack)
    missing = [name for name in (_ALIAS_TABLE, _SENDER_TABLE) if name not in outputs]
    missing += [name for name in _DOMAINS[:1] if name not in parameters]
    if missing:
        raise Misconfigured(f"stack {stack} is not Postern's, or was not deployed whole: it has no {missing[0]}")
    style = DOT if parameters.get(_PARENT_DOMAINS) == "false" else PARENT
    domains = [parameters[name] for name in _DOMAINS if parameters.get(name)]
    health = outputs.get(_DESTINATION_TABLE, "")  # a stack of an earlier version has none
    screening = {verdict: parameters[name] for verdict, name in _SCREENING.items() if parameters.get(name)}
    return named(outputs[_ALIAS_TABLE], outputs[_SENDER_TABLE], domains, style, health, screening)


def described(stack: str) -> tuple[dict[str, str], dict[str, str]]:
    """The outputs and the parameters of a stack (docs.aws.amazon.com/AWSCloudFormation, "DescribeStacks").

    Raises Temporary if AWS or the network fails.
    """
    with reaching(f"CloudFormation DescribeStacks {stack}"):
        found = clients.cloudformation().describe_stacks(StackName=stack)["Stacks"][0]
    return _pairs(found, "Output"), _pairs(found, "Parameter")


def be_in(region: str | None, profile: str | None) -> None:
    """All clients made from now on are in this region and of this profile; None leaves it to boto3.

    Raises Unavailable if there is no such profile.
    """
    if region or profile:
        with reaching(f"profile {profile}"):
            clients.be_in(region, profile)


@contextmanager
def reaching(what: str) -> Iterator[None]:
    """boto3 takes a bad endpoint for a bad argument; to people both are a network that does not answer."""
    try:
        with translated(what):
            yield
    except ValueError as fault:
        if "endpoint" not in str(fault):
            raise
        raise Misconfigured(f"{what}: {fault}") from fault


def _pairs(stack: Mapping[str, Any], kind: str) -> dict[str, str]:
    return {one[f"{kind}Key"]: one[f"{kind}Value"] for one in stack.get(f"{kind}s", ())}
