from typing import Any

import pytest

from tests.builders import ROOT
from tests.expansion import expand


@pytest.fixture(scope="session")
def expanded() -> dict[str, Any]:
    """The template after the SAM transform."""
    return expand(ROOT / "template.yaml", {"Domains": "example.com"})


@pytest.fixture(scope="session")
def resources(expanded: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = expanded["Resources"]
    return found
