"""Render plain data as HTML or JSON. All markup is in templates; data is only ever text in them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from postern_mail.mail.days import formatted, moment
from postern_mail.mail.visible import visible

from ..output.ledger_text import json_value


@dataclass(frozen=True, slots=True)
class Shown:
    """A page: its template, its data, and the HTTP status. `told` is the part for JSON, None for all of the data."""

    template: str
    data: Mapping[str, Any]
    status: int = 200
    told: Any = None


@dataclass(frozen=True, slots=True)
class Done:
    """A completed action: the message about it, the equivalent command, and the page to go to."""

    said: str
    command: str
    where: str
    warnings: tuple[str, ...] = field(default=())


def shown(text: str) -> str:
    """Text made safe to display, line by line, for pages and forms."""
    return text if text.isprintable() else "\n".join(map(visible, text.split("\n")))


def _text(value: Any) -> Any:
    """The final value of every expression in a template."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return shown(value)
    return "" if value is None else value


def _day(seconds: Any) -> str:
    return formatted(seconds, "%d %b %Y, %H:%M")


def environment() -> Environment:
    """The templates of this package, with everything escaped."""
    made = Environment(
        loader=PackageLoader("postern_command.pages"),
        autoescape=True,
        finalize=_text,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "at": lambda text: quote(str(text), safe=""),  # for URLs, where / and & have a meaning, and for hidden fields
        "moment": moment,
        "day": _day,
    }
    return made


def as_json(shown: Shown) -> str:
    """A page's data as JSON."""
    return json.dumps(json_value(dict(shown.data) if shown.told is None else shown.told))


Render = Callable[[Shown, Mapping[str, Any]], str]


def renderer() -> Render:
    """A function that renders a page, with the data of its frame, as HTML."""
    templates = environment()

    def render(shown: Shown, around: Mapping[str, Any]) -> str:
        return templates.get_template(shown.template).render({**around, **shown.data})

    return render
