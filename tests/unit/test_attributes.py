"""Values as DynamoDB has them are what boto3 makes of them."""

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st
from postern_mail.aws.attributes import from_dynamodb, to_dynamodb
from postern_mail.mail.outcomes import State

NUMBERS = st.integers(-(10**38) + 1, 10**38 - 1) | st.decimals(allow_nan=False, allow_infinity=False)
SETS = st.one_of(
    *(st.sets(one, min_size=1, max_size=3) for one in (st.text(max_size=3), NUMBERS, st.binary(max_size=3)))
)
PLAIN = st.none() | st.booleans() | NUMBERS | st.text(max_size=5) | st.binary(max_size=5) | SETS
VALUES = st.recursive(
    PLAIN, lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=3), one, max_size=3), max_leaves=8
)


def made(by: Any, value: object) -> object:
    """What it makes of the value, or the name of what it raises."""
    try:
        return by(value)
    except Exception as error:  # noqa: BLE001 (compared)
        return type(error).__name__


@given(VALUES)
def test_a_value_is_written_as_boto3_writes_it(value: object) -> None:
    assert made(to_dynamodb, value) == made(TypeSerializer().serialize, value)


@given(VALUES)
def test_a_value_is_read_as_boto3_reads_it(value: object) -> None:
    try:
        said = TypeSerializer().serialize(value)
    except Exception:  # noqa: BLE001 (no number of DynamoDB's)
        return
    assert from_dynamodb(said) == TypeDeserializer().deserialize(said)


@pytest.mark.parametrize("value", [1.5, {1, "x"}, {(1,)}, object(), Decimal("Infinity"), Decimal("NaN")])
def test_what_has_no_type_there_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        to_dynamodb(value)


def test_our_words_are_text_and_other_sequences_lists() -> None:
    assert to_dynamodb((State.FORWARDED, frozenset({"a"}))) == {"L": [{"S": "forwarded"}, {"SS": ["a"]}]}
