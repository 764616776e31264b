"""Our records are dataclasses in all that anybody asks of them, at less cost when a function starts."""

import copy
import dataclasses
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postern_mail.mail import records
from postern_mail.mail.address import Address

VALUES: Any = {"a": 1, "b": "x", "c": [2], "d": {"k": 1}, "e": True}


def made(by: Any) -> dict[str, Any]:
    """The same classes by either."""

    @by.dataclass(frozen=True, slots=True)
    class Base:
        """With an attribute that a child has otherwise."""

        a: int
        b: str = by.field(default="b", compare=False, kw_only=True)

    @by.dataclass(frozen=True, slots=True)
    class Child(Base):
        """Of a frozen one."""

        b: str = by.field(kw_only=False)
        c: list[int] = by.field(default_factory=list, metadata={"unit": "s"})
        d: Any = None

    @by.dataclass(frozen=True, slots=True, kw_only=True)
    class Named:
        """By name only."""

        a: int
        b: str = by.field(default="x", repr=False)

    @by.dataclass(slots=True)
    class Mutable:
        """Not frozen."""

        a: int
        c: list[int] = by.field(default_factory=list)

    @by.dataclass(frozen=True, slots=True, order=True)
    class Ordered:
        """By its attributes."""

        a: int
        b: str = ""

    return {one.__name__: one for one in (Base, Child, Named, Mutable, Ordered)}


OURS, THEIRS = made(records), made(dataclasses)


def outcome(act: Any) -> Any:
    """What comes of it, or the kind of the failure."""
    try:
        return act()
    except Exception as error:  # noqa: BLE001 (compared)
        return type(error)


@pytest.mark.parametrize("name", OURS)
@given(given=st.lists(st.integers(0, 3), max_size=5), named=st.sets(st.sampled_from("abcdz")))
def test_it_is_made_and_shown_as_a_dataclass_is(name: str, given: list[int], named: set[str]) -> None:
    more = {one: VALUES.get(one, 0) for one in named}
    shown = [outcome(lambda kind=kind: repr(kind(*given, **more))) for kind in (OURS[name], THEIRS[name])]
    assert shown[0] == shown[1]


@given(
    first=st.tuples(st.integers(0, 1), st.sampled_from("xy")),
    second=st.tuples(st.integers(0, 1), st.sampled_from("xy")),
)
def test_it_is_compared_as_a_dataclass_is(first: Any, second: Any) -> None:
    for name in ("Child", "Ordered"):
        said = []
        for kind in (OURS[name], THEIRS[name]):
            one, other = kind(*first), kind(*second)
            said.append((one == other, one != other, outcome(lambda: one < other), outcome(lambda: one == 1)))  # noqa: B023
        assert said[0] == said[1]
    assert (hash(OURS["Ordered"](*first)) == hash(OURS["Ordered"](*second))) is (first == second)


def test_it_is_frozen_hashed_copied_and_matched_as_a_dataclass_is() -> None:
    for kinds in (OURS, THEIRS):
        with pytest.raises(dataclasses.FrozenInstanceError):
            kinds["Base"](1).a = 2
        with pytest.raises(dataclasses.FrozenInstanceError):
            del kinds["Base"](1).a
        with pytest.raises(TypeError):
            hash(kinds["Mutable"](1))
        one = kinds["Child"](1, "x", [2])
        assert copy.deepcopy(one) == one
        assert kinds["Child"].__match_args__ == ("a", "b", "c", "d")
        assert kinds["Named"].__match_args__ == ()
        mutable = kinds["Mutable"](1)
        mutable.a = 2
        assert mutable.c is not kinds["Mutable"](1).c


def test_dataclasses_own_functions_take_it() -> None:
    one, other = OURS["Child"](1, "x", [2], d={"k": (OURS["Ordered"](3),)}), THEIRS["Child"](1, "x", [2])
    assert (
        dataclasses.asdict(one) == records.asdict(one) == {"a": 1, "b": "x", "c": [2], "d": {"k": ({"a": 3, "b": ""},)}}
    )
    for by in (dataclasses, records):
        assert by.replace(one, d=None) == OURS["Child"](1, "x", [2])
        with pytest.raises(TypeError):
            by.replace(one, z=1)
    assert dataclasses.is_dataclass(one)
    described = [
        [(each.name, each.compare, each.repr, dict(each.metadata), bool(each.kw_only)) for each in found]
        for found in (dataclasses.fields(one), records.fields(one), dataclasses.fields(other))
    ]
    assert described[0] == described[1] == described[2]


def test_it_goes_through_a_pickle() -> None:
    from postern_mail.mail.address import Address  # noqa: PLC0415 (a class that pickle finds by its name)

    assert pickle.loads(pickle.dumps(Address("a", "b.example"))) == Address("a", "b.example")


def test_what_is_cached_is_of_one_record_only() -> None:
    first = Address("Info", "example.com")
    assert first.key == "info@example.com"
    second = records.replace(first, local="Else")
    assert (second.key, second.local, first.key) == ("else@example.com", "Else", "info@example.com")
    assert records.replace(first) == Address("Info", "example.com")
