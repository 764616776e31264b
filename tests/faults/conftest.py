from collections.abc import Iterator

import pytest
from postern_mail.aws import choice

from emulator.template import Template
from tests.cloud_here import CloudHere
from tests.faults.world import Interference, World, build


@pytest.fixture(params=choice.CLIENTS)
def world(
    request: pytest.FixtureRequest, aws: CloudHere, template: Template, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    with build(aws, template, monkeypatch, Interference(), request.param) as made:
        yield made
