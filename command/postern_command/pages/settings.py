"""The settings, read-only."""

from postern_mail.mail.row_faults import settings_faults
from postern_mail.mail.settings import descriptions

from ..settings import as_object
from .asked import Asked
from .desk import Desk
from .rendering import Shown


def settings(desk: Desk, _: Asked) -> Shown:
    """All settings with their values and meanings."""
    row = next(iter(desk.edited.scan("settings")), None) or {}
    data = {
        "title": "Settings",
        "rows": [as_object(one, row) for one in descriptions().values()],
        "faults": settings_faults(row),
        "command": desk.command("settings", "list"),
    }
    return Shown("settings.html", data)


PAGES = {"/settings": settings}
