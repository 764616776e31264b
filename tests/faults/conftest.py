from collections.abc import Iterator

import pytest

from emulator.template import Template
from tests.cloud_here import CloudHere
from tests.faults.world import Interference, World, build


@pytest.fixture
def world(aws: CloudHere, template: Template, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with build(aws, template, monkeypatch, Interference()) as made:
        yield made
