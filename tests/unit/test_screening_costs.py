"""Who screens nothing pays nothing: what a message imports and calls is counted, with screening off and on."""

import subprocess
import sys

import pytest

from tests.builders import ROOT

PROGRAM = """
import sys
from tests.builders import event
from tests.forwarding_world import World
world = World()
world.tables.aliases["#settings"] = {settings}
before = set(sys.modules)
def wired():
    raise SystemExit("screened")
from postern_mail.forward import Forwarder
made = Forwarder.handle
def handle(self, *rest):
    object.__setattr__(self, "screening", wired)
    return made(self, *rest)
Forwarder.handle = handle
world.handle(event("info@example.com"))
print(*sorted(name for name in set(sys.modules) - before if name.startswith(("postern_mail", "dns"))))
print(world.tables.calls)
"""
OURS = ("dns", "dns_lists", "greylist", "greylisting", "list_health", "resolver", "restrictions", "score", "screening",
        "subjects", "verdict_fields", "hostnames", "header_rules")  # fmt: skip


def run(settings: str) -> tuple[list[str], int]:
    """(modules that one message imports, rounds of look-ups)."""
    program = PROGRAM.replace("{settings}", settings)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    modules, rounds = done.stdout.splitlines()
    return modules.split(), int(rounds)


def test_with_screening_off_a_message_imports_no_module_of_it_and_looks_up_no_more() -> None:
    modules, rounds = run("{}")
    assert [name for name in modules if name.rpartition(".")[2] in OURS or name.startswith("dns")] == []
    assert rounds == 2


def test_header_rules_are_a_module_and_no_round_of_look_ups_more() -> None:
    """Else the test above could not fail for them."""
    modules, rounds = run('{"header_rules": "1, 2, 3"}')
    assert "postern_mail.mail.header_rules" in modules
    assert rounds == 2


def test_nor_do_the_functions_when_they_start() -> None:
    program = "import sys, postern_mail.aws.forward.assembly, postern_mail.aws.watch.assembly; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert not [name for name in loaded if name == "dns" or name.startswith("dns.")]
    program = "import sys, postern_mail.aws.forward.assembly; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert not [name for name in loaded if name.startswith("postern_mail") and name.rpartition(".")[2] in OURS]


@pytest.mark.parametrize("settings", ['{"dnsbl_sites": "bl.spamcop.net"}', '{"greylist": True}'])
def test_with_it_on_the_same_message_is_screened(settings: str) -> None:
    """Else the test above could not fail."""
    with pytest.raises(subprocess.CalledProcessError) as raised:
        run(settings)
    assert "screened" in raised.value.stderr
