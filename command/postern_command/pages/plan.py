"""What `postern apply` would change in the live tables for the edited file."""

from itertools import islice

from ..output.difference_text import lines
from ..plan import planned_changes
from ..status import Refused
from ..tables.checks import Findings
from ..tables.differences import Reach
from ..tables.file import TablesFile
from .asked import Asked
from .desk import Desk
from .rendering import Shown

SHOWN = 200  # changes on the page


def plan(desk: Desk, _: Asked) -> Shown:
    """The plan, as in `postern plan`. The page does not apply it: that is done where the file is kept."""
    if desk.file is None:
        raise Refused("this page edits the live tables; `postern page --file tables.toml` edits a file")
    tables = TablesFile.load(desk.file)
    found = Findings.of(tables, desk.policy)
    reach = Reach()
    changes = planned_changes(tables, desk.stack, reach)
    data = {
        "title": "Plan",
        "changes": [list(lines(change)) for change in islice(changes, SHOWN)],
        "count": len(changes),
        "left": reach.left,
        "faults": found.faults,
        "warnings": found.warnings,
        "plan_command": desk.command("plan", str(desk.file)),
        "apply_command": desk.command("apply", str(desk.file)),
    }
    return Shown("plan.html", data)


PAGES = {"/plan": plan}
