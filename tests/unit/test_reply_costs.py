"""Who takes no replies pays nothing for them: what a message imports and asks is counted."""

import subprocess
import sys

from tests.builders import ROOT

PROGRAM = """
import sys
from tests.builders import event
from tests.forwarding_world import World
world = World()
{rows}
before = set(sys.modules)
def wired():
    raise SystemExit("asked")
from postern_mail.forward import Forwarder
from postern_mail.deliver import Deliverer
made = Forwarder.handle
def handle(self, *rest):
    object.__setattr__(self, "replying", wired)
    object.__setattr__(self.deliverer, "contacts", wired)
    return made(self, *rest)
Forwarder.handle = handle
world.handle(event("{recipient}"))
print(*sorted(name for name in set(sys.modules) - before if name.startswith("postern_mail")))
print(world.tables.calls)
"""
OURS = ("replying", "reply_addresses", "replies", "contacts", "own_mail")


def run(recipient: str = "info@example.com", rows: str = "") -> tuple[str, list[str], int]:
    """(what it said in the end, modules that one message imports, rounds of look-ups)."""
    program = PROGRAM.format(recipient=recipient, rows=rows)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    modules, rounds = done.stdout.splitlines() if done.returncode == 0 else ("", "0")
    return done.stderr.strip(), modules.split(), int(rounds)


def test_with_replies_off_a_message_imports_no_module_of_them_and_asks_nothing() -> None:
    said, modules, rounds = run()
    assert said == ""
    assert [name for name in modules if set(name.split(".")) & set(OURS)] == []
    assert rounds == 2


def test_with_replies_on_it_does() -> None:
    """Else the test above could not fail."""
    assert run(rows='world.tables.aliases["#settings"] = {"reply": "author"}')[0] == "asked"
    assert run(f"reply+{'a' * 26}@example.com")[0] == "asked"


def test_nor_does_the_function_when_it_starts() -> None:
    program = "import sys, postern_mail.aws.forward.assembly; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert not [name for name in loaded if name.startswith("postern_mail") and set(name.split(".")) & set(OURS)]
