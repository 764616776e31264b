"""What the values of owner.yaml mean together: whose domains they are, and who is told."""

from collections.abc import Iterator, Mapping

from postern_mail.domains.wish import faults_of
from postern_mail.mail.address import Address, InvalidAddress

from . import file
from .parameters import Parameter

# Of the stack and of the relay's.
_DOMAINS = ("Domains", "Domain")
_OWNERS = ("OwnerAddress", "Owner")

HEAD = (
    "The values of Postern's parameters, written by `postern init`. Change a value, then `make deploy`.\n"
    "Every parameter stands here: one that is missing would keep its value of the deployment before, so the deployment"
    " refuses it. Values are in quotes. What holds for all mail without a deployment: `postern settings`."
)


def domain_parameter(parameters: Mapping[str, Parameter]) -> str:
    """The parameter that takes the mail domain, or all of them."""
    return next(name for name in _DOMAINS if name in parameters)


def owner_parameter(parameters: Mapping[str, Parameter]) -> str:
    """The parameter that takes the owner's address."""
    return next(name for name in _OWNERS if name in parameters)


def domains(values: Mapping[str, str]) -> tuple[str, ...]:
    """The mail domains, in the order in which they are named."""
    return tuple(one for name in _DOMAINS for one in values.get(name, "").split(",") if one)


def owner(values: Mapping[str, str]) -> str:
    """The owner's address, "" if none is given."""
    return next((values[name] for name in _OWNERS if values.get(name)), "")


def domain(typed: str) -> str:
    """A domain as the parameter takes it: in lower case, as A-labels. Raises ValueError for what is none."""
    name = typed.strip().rstrip(".")
    if "@" in name or "/" in name or "." not in name:
        raise ValueError(f"a domain is wanted, as example.com: {typed!r}")
    try:
        return Address.parse(f"x@{name}").domain
    except InvalidAddress:
        raise ValueError(f"no domain: {typed!r}") from None


def address(typed: str, ours: tuple[str, ...]) -> str:
    """The owner's address. Raises ValueError for what is none, or for one that depends on Postern itself."""
    try:
        found = Address.parse(typed)
    except InvalidAddress as fault:
        raise ValueError(str(fault)) from None
    if found.domain in ours:
        raise ValueError(
            f"{found} is at a domain that Postern forwards: what it cannot forward, it cannot tell you either"
        )
    return str(found)


def faults(text: str, parameters: Mapping[str, Parameter]) -> Iterator[str]:
    """All that is wrong in a file: what the template refuses, and what only the values together show."""
    found = list(file.faults(text, parameters))
    yield from found
    if not found:
        values = file.values(text)
        if "Domains" in parameters:
            yield from faults_of(domains(values))
        try:
            address(owner(values), domains(values))
        except ValueError as fault:
            yield f"{owner_parameter(parameters)}: {fault}"
