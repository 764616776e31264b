"""What the values of owner.yaml mean together: the mail domains and the owner."""

from collections.abc import Iterator, Mapping

from postern_mail.domains.wish import faults_of
from postern_mail.mail.address import Address, InvalidAddress

from . import file
from .parameters import Parameter

# The parameters' names in the main stack and in the relay's.
_DOMAINS = ("Domains", "Domain")
_OWNERS = ("OwnerAddress", "Owner")

HEAD = (
    "The values of Postern's parameters, written by `postern init`. Change a value, then `make deploy`.\n"
    "Every parameter must be here: a missing one would keep its value of the previous deployment, so `make deploy`"
    " refuses the file. Keep values in quotes. `postern settings` has what you can change without a deployment."
)


def domain_parameter(parameters: Mapping[str, Parameter]) -> str:
    """The name of the parameter for the mail domain or domains."""
    return next(name for name in _DOMAINS if name in parameters)


def owner_parameter(parameters: Mapping[str, Parameter]) -> str:
    """The name of the parameter for the owner's address."""
    return next(name for name in _OWNERS if name in parameters)


def domains(values: Mapping[str, str]) -> tuple[str, ...]:
    """The mail domains, in order."""
    return tuple(one for name in _DOMAINS for one in values.get(name, "").split(",") if one)


def owner(values: Mapping[str, str]) -> str:
    """The owner's address, "" if none is given."""
    return next((values[name] for name in _OWNERS if values.get(name)), "")


def domain(typed: str) -> str:
    """A domain as the parameter takes it: in lower case, as A-labels. Raises ValueError for other text."""
    name = typed.strip().rstrip(".")
    if "@" in name or "/" in name or "." not in name:
        raise ValueError(f"expected a domain such as example.com, found {typed!r}")
    try:
        return Address.parse(f"x@{name}").domain
    except InvalidAddress:
        raise ValueError(f"not a domain: {typed!r}") from None


def address(typed: str, ours: tuple[str, ...]) -> str:
    """The owner's address. Raises ValueError for other text, and for an address that Postern itself forwards."""
    try:
        found = Address.parse(typed)
    except InvalidAddress as fault:
        raise ValueError(str(fault)) from None
    if found.domain in ours:
        raise ValueError(f"{found} is at a domain that Postern forwards: if forwarding fails, you would not hear of it")
    return str(found)


def faults(text: str, parameters: Mapping[str, Parameter]) -> Iterator[str]:
    """Everything wrong in a file: what the template refuses, and what only shows in the values together."""
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
