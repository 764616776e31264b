"""What docs/running.md says that it costs: every row is its amount times its price, and the alarms are counted."""

import re
from typing import NamedTuple

import pytest

from tests.builders import ROOT
from tests.template.deployments import symbolic

RUNNING = (ROOT / "docs/running.md").read_text(encoding="utf-8")
HEADING = "| what | amount | price [U] | dollars |\n"


class Line(NamedTuple):
    what: str
    amount: float
    price: float
    dollars: float


def number(text: str) -> float:
    return float(text.replace(",", "").replace("*", ""))


def tables() -> list[tuple[list[Line], float]]:
    """(the rows, what stands under them), for each table of costs."""
    found = []
    for text in RUNNING.split(HEADING)[1:]:
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.split("\n\n")[0].splitlines()[1:]]
        *lines, (_, _, _, total) = rows
        prices = [re.fullmatch(r"([\d.]+) for ([\d,]+)", row[2]) for row in lines]
        assert all(prices)
        priced = zip(lines, (number(one[1]) / number(one[2]) for one in prices if one), strict=True)
        found.append(([Line(row[0], number(row[1]), price, number(row[3])) for row, price in priced], number(total)))
    return found


@pytest.mark.parametrize("which", [0, 1], ids=["a thousand messages", "a month"])
def test_every_row_is_amount_times_price_and_the_sum_is_theirs(which: int) -> None:
    lines, total = tables()[which]
    assert len(lines) >= 4
    for line in lines:
        assert line.dollars == pytest.approx(line.amount * line.price, abs=0.005 if which else 0.00006), line.what
    assert total == pytest.approx(sum(line.dollars for line in lines), abs=0.005)


def test_the_alarms_that_cost_are_those_there_are() -> None:
    alarms = [
        len(symbolic(RefuseUnknownRecipients=one).resources("AWS::CloudWatch::Alarm")) for one in ("false", "true")
    ]
    (counted,) = [line.amount for line in tables()[1][0] if line.what.startswith("alarms")]
    assert counted == max(alarms)
