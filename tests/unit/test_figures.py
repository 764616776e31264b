"""Figures as bars and as a picture."""

import xml.etree.ElementTree as ET

import pytest
from postern_command.figures import ALL, By, Figures, Line, shortened
from postern_command.output.bars import bars
from postern_command.output.kinds import KINDS, amounts
from postern_command.output.svg import svg
from postern_mail.mail.summaries import OUTCOMES
from rich.cells import cell_len

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    "</text><script>alert(1)</script>",
    '"onload="x',
    "\x1b]0;x\x07",
    "\u202egnp.exe",
    "a\x00b",
    "&amp;",
    "é" * 300,
    "\ud800",
)
DAYS = Figures(
    By.DAY,
    "2026-11-01",
    "2026-11-30",
    tuple(Line(f"2026-11-{day:02}", {"forwarded": 10 * day, "lost": day == 7}) for day in range(1, 31)),
)


def of_aliases(*labels: str) -> Figures:
    lines = tuple(Line(label, {"forwarded": 5, "quarantined": place}) for place, label in enumerate(labels))
    return Figures(By.ALIAS, "2026-11-01", "2026-11-30", lines)


def text_of(found: Figures, width: int = 80, *, plain: bool = False) -> list[str]:
    return ["".join(part.text for part in line) for line in bars(found, width, plain=plain)]


def test_every_outcome_is_of_one_kind() -> None:
    known = [outcome for kind in KINDS for outcome in kind.outcomes]
    assert sorted(known) == sorted({*OUTCOMES, ALL})
    assert amounts(Line("x", {"new": 2, "merged": 1})) == dict.fromkeys(amounts(Line("", {})), 0) | {
        "lost": 2, "forwarded": 1,
    }  # fmt: skip


@pytest.mark.parametrize("width", [1, 20, 40, 80, 200])
@pytest.mark.parametrize("found", [DAYS, of_aliases(*HOSTILE), of_aliases(), of_aliases("a@b.example")])
def test_a_line_is_never_wider_than_the_terminal(found: Figures, width: int) -> None:
    lines = text_of(found, width)
    least = 16 + max((len(f"{one.total:,}") for one in found.lines), default=0)  # nothing fits into less
    assert max(map(cell_len, lines[: len(found.lines)]), default=0) <= max(width, least)


def test_one_lost_message_is_seen_among_thousands() -> None:
    lines = (Line("a", {"forwarded": 100_000}), Line("b", {"forwarded": 99_999, "lost": 1}))
    first, second, *_ = text_of(Figures(By.ALIAS, "", "", lines), plain=True)
    assert (first.count("!"), second.count("!")) == (0, 1)
    assert (first.count("#"), second.count("#")) == (len(first) - first.index("#"), first.count("#") - 1)


def test_ascii_where_there_is_no_more() -> None:
    assert all(line.isascii() for line in text_of(DAYS, plain=True))
    assert not any(line.isascii() for line in text_of(DAYS)[:-2])


def test_what_is_over_the_limit_is_one_line_and_days_are_all_shown() -> None:
    found = shortened(of_aliases(*"abcde"), 3)
    assert [(one.label, one.total) for one in found.lines] == [("a", 5), ("b", 6), ("c", 7), ("(2 others)", 17)]
    assert shortened(DAYS, 3) == DAYS
    assert shortened(of_aliases(*"abc"), 3) == of_aliases(*"abc")


@pytest.mark.parametrize("found", [DAYS, of_aliases(*HOSTILE), of_aliases(), Figures(By.DAY, "", "", ())])
def test_a_picture_has_no_element_or_attribute_of_a_strangers(found: Figures) -> None:
    tree = ET.fromstring(svg(found).encode())
    allowed = {"svg", "title", "desc", "rect", "text", "g", "line"}
    assert {one.tag.removeprefix(SVG) for one in tree.iter()} <= allowed
    assert not {
        name for one in tree.iter() for name in one.attrib if name.startswith("on") or name in ("style", "href")
    }
    assert tree.attrib["role"] == "img"
    assert tree[0].text == found.title


def test_a_picture_of_days_is_to_scale() -> None:
    tree = ET.fromstring(svg(DAYS).encode())
    high = [float(one.attrib["height"]) for one in tree.iter(f"{SVG}rect") if one.attrib["class"] == "forwarded"][1:]
    assert high == pytest.approx([220 * 10 * day / 400 for day in range(1, 31)], abs=0.06)
    assert [one.text for one in tree.iter(f"{SVG}text")][2:5] == ["0", "200", "400"]
    (lost,) = [one for one in tree.iter(f"{SVG}rect") if one.attrib["class"] == "lost" and one.attrib["y"] != "10"]
    assert float(lost.attrib["y"]) + float(lost.attrib["height"]) < 260
    words = [one.text or "" for one in tree.iter(f"{SVG}title")]
    assert words[7] == "2026-11-07: 70 forwarded, 1 lost"
    assert tree[1].text == "4,650 forwarded, 1 lost"
