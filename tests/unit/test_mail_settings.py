"""The item `#settings`: what the owner changes without a deployment."""

from decimal import Decimal
from typing import Any

import pytest
from postern_mail.mail.address import Address
from postern_mail.mail.aliases import keys
from postern_mail.mail.rewrite import FROM_FORMS, Style
from postern_mail.mail.rows import Rows
from postern_mail.mail.settings import KEY, MEGABYTE, BadSettings, Settings, descriptions, read

SAID = {"address": KEY, "updated_at": Decimal(1), "updated_by": "arn:aws:iam::1:user/jane", "x_why": "a note"}


def test_without_the_item_everything_has_its_default() -> None:
    assert Settings.from_row(None) == Settings.from_row(SAID) == Settings()
    assert Settings().styled(Style()) == Style()
    assert Settings().largest == 40 * MEGABYTE


def test_what_the_item_says_holds() -> None:
    found = Settings.from_row({**SAID, "from_form": "name", "subject_tag": "[x]", "largest_forward": Decimal(25)})
    assert found == Settings(from_form="name", subject_tag="[x]", largest_forward=25)
    assert found.styled(Style(stamp_key=b"k")) == Style(from_form="name", subject_tag="[x]", stamp_key=b"k")


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("largest_forward", "25", 25),
        ("largest_forward", Decimal("25"), 25),
        ("largest_forward", 1, 1),
        ("largest_forward", 40, 40),
        ("subject_tag", "[caf\u00e9]", "[caf\u00e9]"),
        ("subject_tag", "", ""),
        ("subject_tag", "x" * 40, "x" * 40),
        *(("from_form", form, form) for form in FROM_FORMS),
    ],
)
def test_what_may_be_said(name: str, value: object, meant: object) -> None:
    assert read(name, value) == meant


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("largest_forward", "huge"),
        ("largest_forward", ""),
        ("largest_forward", "0"),
        ("largest_forward", 41),
        ("largest_forward", "-1"),
        ("largest_forward", "2.5"),
        ("largest_forward", Decimal("2.5")),
        ("largest_forward", Decimal("NaN")),
        ("largest_forward", Decimal("Infinity")),
        ("largest_forward", True),
        ("largest_forward", [25]),
        ("largest_forward", {"a": 1}),
        ("subject_tag", "a\nBcc: x@y.example"),
        ("subject_tag", "a\x1b[2J"),
        ("subject_tag", "x" * 41),
        ("subject_tag", Decimal(1)),
        ("from_form", "both"),
        ("from_form", {"name"}),
        ("from_from", "name"),
    ],
)
def test_what_may_not_is_named(name: str, value: object) -> None:
    with pytest.raises(BadSettings, match=rf"^settings: {name}: "):
        read(name, value)
    with pytest.raises(BadSettings, match=rf"^settings: {name}: "):
        Settings.from_row({**SAID, name: value})


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(
        BadSettings, match=r"^settings: from_form: expected name.*; largest_forward: .* to 40, found 'x'$"
    ):
        Settings.from_row({"from_form": "both", "largest_forward": "x"})


def test_a_null_is_a_default() -> None:
    assert Settings.from_row({**SAID, "subject_tag": None}) == Settings()


def test_the_item_is_understood_once_for_a_message() -> None:
    rows = Rows({KEY: {"subject_tag": "[x]"}})
    assert Settings.of(rows) is Settings.of(rows)


def test_each_setting_is_explained() -> None:
    for one in descriptions().values():
        assert one.meaning.endswith(".")
        assert one.allowed


@pytest.mark.parametrize("address", ["#settings@example.com", "#x+tag@example.com", "x#y@example.com"])
def test_no_look_up_asks_for_a_key_that_is_not_an_aliases(address: str) -> None:
    asked: Any = keys(Address.parse(address))
    assert not [key for key in asked if key.startswith("#")]
    assert "@example.com" in asked
