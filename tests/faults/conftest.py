from collections.abc import Iterator

import pytest
from postern_mail.aws import choice

from emulator.template import Template
from tests.cloud_here import CloudHere
from tests.faults.world import Interference, World, build


# Ours in every gate, boto3 in the long one.
@pytest.fixture(params=[pytest.param(one, marks=pytest.mark.long if one == "boto3" else ()) for one in choice.CLIENTS])
def world(
    request: pytest.FixtureRequest, aws: CloudHere, template: Template, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    with build(aws, template, monkeypatch, Interference(), request.param) as made:
        yield made
