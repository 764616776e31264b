"""Converts values between DynamoDB's form and Python's, as boto3's TypeSerializer and TypeDeserializer do.

Importing boto3 takes a third of a second, which handling a message avoids.
"""

from collections.abc import Callable, Mapping, Set
from decimal import Clamped, Context, Decimal, Inexact, Overflow, Rounded, Underflow
from typing import Any

# docs.aws.amazon.com/amazondynamodb, "Data types": 38 digits, 1E-130 to 9.99E+125.
_EXACT = Context(Emin=-128, Emax=126, prec=38, traps=[Clamped, Overflow, Inexact, Rounded, Underflow])


def to_dynamodb(value: Any) -> dict[str, Any]:  # noqa: PLR0911 (a table of types)
    """An attribute's value for a request. Raises TypeError for a value without a DynamoDB type, decimal's signals for a
    number that DynamoDB cannot store."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | Decimal():
            return {"N": _number(value)}
        case str():
            return {"S": value}
        case bytes() | bytearray():
            return {"B": value}
        case Set():
            return _set(value)
        case Mapping():
            return {"M": {name: to_dynamodb(one) for name, one in value.items()}}
        case list() | tuple():
            return {"L": [to_dynamodb(one) for one in value]}
        case _:
            raise TypeError(f"DynamoDB has no type for {value!r}")


def from_dynamodb(value: Mapping[str, Any]) -> Any:
    """The value of an attribute in a response; numbers are Decimal, binaries bytes."""
    ((kind, said),) = value.items()
    return _READERS[kind](said)


def row(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item's attributes as Python values."""
    return {name: from_dynamodb(value) for name, value in item.items()}


def _number(value: int | Decimal) -> str:
    number = str(_EXACT.create_decimal(value))
    if number in ("Infinity", "-Infinity", "NaN"):
        raise TypeError(f"DynamoDB has no number {number}")
    return number


def _set(value: Set[Any]) -> dict[str, Any]:
    kinds = {next(iter(to_dynamodb(one))) for one in value}
    if len(kinds) != 1 or not kinds <= {"S", "N", "B"}:
        raise TypeError(f"DynamoDB has no set like {value!r}")
    (kind,) = kinds
    return {f"{kind}S": [to_dynamodb(one)[kind] for one in value]}


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "S": str,
    "N": _EXACT.create_decimal,
    "BOOL": bool,
    "NULL": lambda _: None,
    "B": bytes,
    "M": row,
    "L": lambda said: [from_dynamodb(one) for one in said],
    "SS": set,
    "NS": lambda said: set(map(_EXACT.create_decimal, said)),
    "BS": set,
}
