"""Every golden family is forwarded as expected, and notices when its rule is broken."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from emulator.sending.refusals import Account, Request
from emulator.sending.rules import check
from tests.builders import ROOT
from tests.messages.forwarding import FAMILIES, forwarded

PACKAGE = ROOT / "layers" / "postern" / "postern_mail"
MUTANTS = [family for family in FAMILIES if (family / "mutant.toml").exists()]


def name(family: Path) -> str:
    return family.name


def test_there_are_families() -> None:
    numbers = [family.name[:3] for family in FAMILIES if "private" not in family.parts]
    assert len(numbers) >= 60
    assert len(numbers) == len(set(numbers))
    assert not [family.name for family in FAMILIES if family not in MUTANTS and "private" not in family.parts]


def test_what_the_readme_says_shows_a_defect_is_there() -> None:
    said = (ROOT / "tests" / "messages" / "README.md").read_text(encoding="utf-8").partition("## What")[2]
    families = set(re.findall(r"\b(\d{3})\b", said))
    assert families <= {family.name[:3] for family in FAMILIES}
    tests = re.findall(r"`(\w+/\w+\.py)` `(\w+)`", said)
    assert len(tests) >= 8
    for path, test in tests:
        assert f"def {test}(" in (ROOT / "tests" / path).read_text(encoding="utf-8"), f"{path}: {test}"


@pytest.mark.parametrize("family", FAMILIES, ids=name)
def test_a_family_is_forwarded_as_expected(family: Path) -> None:
    assert forwarded(family) == (family / "expected.eml").read_bytes()
    assert (family / "why.md").read_text(encoding="utf-8").strip()


@pytest.mark.parametrize("family", FAMILIES, ids=name)
def test_ses_takes_what_is_forwarded(family: Path) -> None:
    account = Account(identities={"example.com"}, configuration_sets=set())
    check(Request("info@example.com", ("jane@dest.example",), forwarded(family), ""), account)


@pytest.mark.parametrize("family", MUTANTS, ids=name)
def test_a_broken_rule_is_noticed_by_its_own_family_alone(family: Path, tmp_path: Path) -> None:
    mutant = tomllib.loads((family / "mutant.toml").read_text(encoding="utf-8"))
    copy = tmp_path / "postern_mail"
    shutil.copytree(PACKAGE / "mail", copy / "mail", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "__init__.py").touch()
    path = copy / "mail" / mutant["file"]
    source = path.read_text(encoding="utf-8")
    assert source.count(mutant["old"]) == 1, "the rule has moved: mend mutant.toml"
    path.write_text(source.replace(mutant["old"], mutant["new"]), encoding="utf-8")
    command = [sys.executable, "-B", "-m", "tests.messages.forwarding"]
    environment = dict(os.environ) | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [family.name]
