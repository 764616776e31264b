"""Figures as an SVG 1.1 picture: no script, no style sheet, no external resource.

Colours are presentation attributes, and each bar has its kind as a class: a page's style sheet may override them, and
a Content-Security-Policy without inline styles allows it. Strangers' text is escaped, and invisible characters are
spelled out.
"""

from collections.abc import Iterator
from html import escape

from postern_mail.mail.visible import visible

from ..figures import By, Figures, Line
from .kinds import KINDS, amounts

WIDTH = 720
_HEIGHT, _LEFT, _TOP, _BOTTOM = 220, 56, 40, 28  # of a chart of days
_ROW, _LABELS, _NUMBERS = 22, 250, 64  # of a chart of lines
_MOST_LABEL = 38  # characters
_INK, _GRID = "#5b6270", "#d4d7dd"


def svg(found: Figures) -> str:
    """The picture: a column for each day, or a row for each line of other figures."""
    height = _TOP + _HEIGHT + _BOTTOM if found.by is By.DAY else _TOP + _ROW * max(1, len(found.lines)) + 8
    body = _days(found) if found.by is By.DAY else _rows(found)
    title = _text(found.title)
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
            ' role="img" font-family="system-ui, sans-serif" font-size="12">',
            f"<title>{title}</title>",
            f"<desc>{_text(_described(found))}</desc>",
            *_legend(found),
            *body,
            "</svg>\n",
        )
    )


def _described(found: Figures) -> str:
    """The picture in words, for screen readers."""
    total = dict.fromkeys((kind.name for kind in KINDS), 0)
    for one in found.lines:
        total = {name: total[name] + number for name, number in amounts(one).items()}
    said = ", ".join(f"{number:,} {name}" for name, number in total.items() if number)
    return f"{said or 'no mail'}{'; more was not read' if found.partial else ''}"


def _legend(found: Figures) -> Iterator[str]:
    shown = {name for one in found.lines for name, number in amounts(one).items() if number}
    x = _LEFT
    for kind in KINDS if found.by_outcome else ():
        if kind.name in shown:
            yield f'<rect class="{kind.name}" x="{x}" y="10" width="10" height="10" fill="{kind.fill}"/>'
            yield f'<text class="ink" x="{x + 15}" y="19" fill="{_INK}">{kind.name}</text>'
            x += 34 + 7 * len(kind.name)


def _days(found: Figures) -> Iterator[str]:
    most = _round_up(max((one.total for one in found.lines), default=0))
    ground = _TOP + _HEIGHT
    for part in (0, 1, 2):
        line = ground - _HEIGHT * part // 2
        yield f'<line class="grid" x1="{_LEFT}" y1="{line}" x2="{WIDTH - 8}" y2="{line}" stroke="{_GRID}"/>'
        amount = f"{most * part // 2:,}"
        yield f'<text class="ink" x="{_LEFT - 8}" y="{line + 4}" text-anchor="end" fill="{_INK}">{amount}</text>'
    step = (WIDTH - 8 - _LEFT) / max(1, len(found.lines))
    wide = max(1.0, step * 0.7)
    named = {0, len(found.lines) // 2, len(found.lines) - 1}
    for place, one in enumerate(found.lines):
        x, y = _LEFT + step * place + (step - wide) / 2, float(ground)
        yield f"<g><title>{_text(_said(one))}</title>"
        for name, fill, high in _parts(one, most, _HEIGHT):
            y -= high
            yield f'<rect class="{name}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" fill="{fill}"/>'
        yield "</g>"
        if place in named:
            anchor = "start" if place == 0 else "end" if place == len(found.lines) - 1 else "middle"
            at = {"start": x, "middle": x + wide / 2, "end": x + wide}[anchor]
            where = f'x="{at:.1f}" y="{ground + 18}" text-anchor="{anchor}"'
            yield f'<text class="ink" {where} fill="{_INK}">{_text(one.label)}</text>'


def _rows(found: Figures) -> Iterator[str]:
    most = max((one.total for one in found.lines), default=0) or 1
    room = WIDTH - 8 - _LABELS - _NUMBERS
    for place, one in enumerate(found.lines):
        y, x = _TOP + _ROW * place, float(_LABELS + _NUMBERS)
        label = visible(one.label)
        short = label if len(label) <= _MOST_LABEL else f"{label[: _MOST_LABEL - 1]}\u2026"
        yield f"<g><title>{_text(_said(one))}</title>"
        yield f'<text class="ink" x="0" y="{y + 14}" fill="{_INK}">{_text(short)}</text>'
        yield f'<text class="ink" x="{_LABELS + 48}" y="{y + 14}" text-anchor="end" fill="{_INK}">{one.total:,}</text>'
        for name, fill, wide in _parts(one, most, room):
            yield f'<rect class="{name}" x="{x:.1f}" y="{y + 3}" width="{wide:.1f}" height="{_ROW - 8}" fill="{fill}"/>'
            x += wide
        yield "</g>"
    if not found.lines:
        yield f'<text class="ink" x="0" y="{_TOP + 14}" fill="{_INK}">no mail</text>'


def _parts(one: Line, most: int, room: float) -> Iterator[tuple[str, str, float]]:
    """(class, colour, length) of each part of a bar."""
    found = amounts(one)
    for kind in KINDS:
        if found[kind.name]:
            yield kind.name, kind.fill, room * found[kind.name] / most


def _said(one: Line) -> str:
    counts = ", ".join(f"{number:,} {outcome}" for outcome, number in one.counts.items() if number)
    return f"{one.label}: {counts or 'no mail'}"


def _round_up(number: int) -> int:
    """The next round number: 2, 4, 6, 8, 10, 20, 40 ..."""
    size = 1
    while True:
        for one in (2, 4, 6, 8, 10):
            if number <= one * size:
                return one * size
        size *= 10


def _text(text: str) -> str:
    return escape(visible(text))
