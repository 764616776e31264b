"""What is read ahead: in order, so many at once, and no more than will be taken."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from postern_command.log import listed
from postern_command.quarantine import quarantined
from postern_command.reading import AT_ONCE, ahead, messages
from postern_mail.errors import Unavailable

TEN = 10


def test_as_many_as_are_allowed_are_read_at_once_and_come_in_their_order() -> None:
    together = threading.Barrier(AT_ONCE)  # breaks, after a while, if fewer are there

    def read(number: int) -> int:
        together.wait(timeout=20)
        return number * 2

    assert list(ahead(read, range(3 * AT_ONCE))) == [(number, number * 2) for number in range(3 * AT_ONCE)]


@pytest.mark.parametrize(("taken", "options", "most"), [
    (1, {}, TEN), (5, {}, TEN + 4), (1, {"begin": 1}, 1), (2, {"begin": 1}, 3), (4, {"begin": 1}, 7),
    (1, {"enough": 3}, 3), (3, {"enough": 3}, 3), (4, {"enough": 3}, 13), (1, {"enough": 0}, TEN),
    (1, {"enough": 9, "weigh": lambda _: 3}, 3), (99, {"enough": 3}, 50),
])  # fmt: skip
def test_no_more_is_read_than_is_likely_to_be_taken(taken: int, options: dict[str, Any], most: int) -> None:
    """`most` are asked for by the time so many are taken."""
    asked: list[int] = []

    def things() -> Iterator[int]:
        for number in range(50):
            asked.append(number)
            yield number

    found = ahead(str, things(), at_once=TEN, **options)
    for _ in range(taken):
        next(found, None)
    found.close()  # type: ignore[attr-defined]
    assert len(asked) == most


def test_what_a_reader_raises_comes_in_its_turn() -> None:
    def read(number: int) -> int:
        if number == 3:
            raise Unavailable("away")
        return number

    found = ahead(read, range(100))
    assert [next(found) for _ in range(3)] == [(0, 0), (1, 1), (2, 2)]
    with pytest.raises(Unavailable, match="away"):
        next(found)


class Book:
    """A ledger of some days, that counts what is read."""

    def __init__(self, *days: list[dict[str, Any]]) -> None:
        self.days, self.begun, self.read = days, 0, list[str]()

    def by_day(self, since: float, now: float, *, noted: bool = False) -> Iterator[Iterator[dict[str, Any]]]:
        for day in self.days:
            self.begun += 1
            yield (one for one in day if not noted or "noted" in one)

    def entries(self, message_id: str) -> dict[str, dict[str, Any]]:
        self.read.append(message_id)
        who, state = message_id.split()[1:]
        return {f"to:{who}": {"state": state, "reason": "why"}}


def message(number: int, who: str = "info@example.com", state: str = "forwarded") -> dict[str, Any]:
    message_id = f"{number} {who} {state}"
    noted = {} if state == "forwarded" else {"noted": {f"{state} {who}"}}
    return {"message_id": message_id, "opened_at": 1, "source": f"s{number}@x.example", "recipients": {who}, **noted}


MIXED = [
    message(1), message(2, "team@example.com"), message(3, state="failed"), message(4, state="quarantined"), message(5)
]  # fmt: skip


@pytest.mark.parametrize(("recipient", "sender", "state", "read"), [
    (None, None, None, "12345"), ("team@example.com", None, None, "2"), (None, "S3@", None, "3"),
    (None, None, "quarantined", "4"), (None, None, "failed", "12345"), ("@example.net", None, None, ""),
])  # fmt: skip
def test_of_a_message_that_cannot_be_listed_nothing_is_read(
    recipient: str | None, sender: str | None, state: str | None, read: str
) -> None:
    book = Book(MIXED)
    found = list(listed(book, 0, recipient, sender, state))
    assert "".join(sorted(one[0] for one in book.read)) == read
    wanted = read if state != "failed" else "3"
    assert "".join(row["message_id"][0] for row in found) == wanted


def test_nor_of_one_that_cannot_be_quarantined() -> None:
    book = Book(MIXED)
    assert [row["message_id"][0] for row in quarantined(book, 0)] == ["4"]
    assert len(book.read) == 1


def test_so_many_messages_are_read_as_the_log_will_show() -> None:
    book = Book([message(number) for number in range(100)])
    assert len([row for row, _ in zip(listed(book, 0, None, None, None, 21), range(20), strict=False)]) == 20
    assert len(book.read) == 21


def test_days_are_read_ahead_only_where_those_before_were_taken() -> None:
    book = Book(*([message(number)] for number in range(30)))
    found = messages(book, 0, 1)
    next(found)
    assert book.begun == 1
    next(found)
    assert book.begun == 3
    assert len(list(found)) == 28
    assert book.begun == 30
