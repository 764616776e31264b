"""What IAM policies allow, as far as policies for sending need it (IAM User Guide, "Policy evaluation logic").

It raises for anything that it does not know, so that nothing is allowed by mistake.
"""

from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from ..template import UnknownConstruct


def allowed(
    documents: Iterable[Mapping[str, Any]], action: str, resources: Collection[str], context: Mapping[str, str]
) -> bool:
    """Whether the statements allow the action on each of the resources; `context` has the condition keys."""
    statements = [one for document in documents for one in _listed(document["Statement"])]
    for one in statements:
        if one["Effect"] != "Allow" or not {"Action", "Resource"} <= one.keys():
            raise UnknownConstruct(f"a statement that is not known to the emulator: {one}")
    return all(any(_allows(one, action, resource, context) for one in statements) for resource in resources)


def _allows(statement: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str]) -> bool:
    return (
        any(fnmatchcase(action.lower(), one.lower()) for one in _listed(statement["Action"]))
        and any(fnmatchcase(resource, one) for one in _listed(statement["Resource"]))
        and all(
            _holds(operator, context.get(key), _listed(values))
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _holds(operator: str, found: str | None, values: list[str]) -> bool:
    """Whether the conditions hold; a key that the request lacks meets none."""
    if found is None:
        return False
    match operator:
        case "StringEquals":
            return found in map(_literal, values)
        case "StringEqualsIgnoreCase":
            return found.lower() in (_literal(one).lower() for one in values)
        case "StringLike":
            return any(fnmatchcase(found, one) for one in values)
        case _:
            raise UnknownConstruct(f"{operator}: not known to the emulator")


def _literal(text: str) -> str:
    """A value with `${$}` as a dollar. Raises for any other variable."""
    plain = text.replace("${$}", "$")
    if "${" in text.replace("${$}", ""):
        raise UnknownConstruct(f"{text}: a policy variable, which the emulator does not know")
    return plain


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
