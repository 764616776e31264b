"""Plain data as HTML, or as JSON. Templates hold all markup; what comes from elsewhere is text in it."""

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
    """A page: its template, what it says, and HTTP's status. `told` is what JSON has of it, all of it if None."""

    template: str
    data: Mapping[str, Any]
    status: int = 200
    told: Any = None


@dataclass(frozen=True, slots=True)
class Done:
    """An action that was carried out: what is said of it, the command that does the same, and where it goes on."""

    said: str
    command: str
    where: str
    warnings: tuple[str, ...] = field(default=())


def shown(text: str) -> str:
    """Text in which nothing acts, line by line: as a page and its forms have it."""
    return text if text.isprintable() else "\n".join(map(visible, text.split("\n")))


def _text(value: Any) -> Any:
    """Every expression of a template."""
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
        "at": lambda text: quote(
            str(text), safe=""
        ),  # in an address, where / and & would mean something, and in a hidden field
        "moment": moment,
        "day": _day,
    }
    return made


def as_json(shown: Shown) -> str:
    """What a page says, for programs."""
    return json.dumps(json_value(dict(shown.data) if shown.told is None else shown.told))


Render = Callable[[Shown, Mapping[str, Any]], str]


def renderer() -> Render:
    """What makes HTML of a page and of what stands around it."""
    templates = environment()

    def render(shown: Shown, around: Mapping[str, Any]) -> str:
        return templates.get_template(shown.template).render({**around, **shown.data})

    return render
