"""What fuzzing once found, and golden mail, on the fuzz target; without the fuzzer."""

from pathlib import Path

import pytest

from tests.fuzz.rewriting import one_input
from tests.messages.forwarding import FAMILIES

KEPT = sorted((Path(__file__).parent / "corpus").iterdir())


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.name)
def test_kept_findings(path: Path) -> None:
    one_input(path.read_bytes())


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_golden_mail(family: Path) -> None:
    one_input((family / "in.eml").read_bytes())
