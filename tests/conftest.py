import os
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from hypothesis import settings

from emulator.calls import VARIABLE
from emulator.template import Template
from tests import rights
from tests.builders import ROOT
from tests.cloud_here import CloudHere, enter
from tests.world import World, running
from tests.world import enter as enter_world

# No test is timed: on a busy machine a property would fail for no fault of its own.
settings.register_profile("postern", deadline=None)
settings.load_profile("postern")

# Every test in these folders and files is slow: `make test` leaves them out, `make test-all` runs them.
SLOW = ("attacks", "e2e", "faults", "postfix", "relay", "import_postfix/test_against_postfix.py")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Before -m is read."""
    slow = [ROOT / "tests" / name for name in SLOW]
    for item in items:
        if any(item.path.is_relative_to(one) for one in slow):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def template() -> Template:
    return Template.load(ROOT / "template.yaml", rights.STACK, {"Domains": "example.com"})


@pytest.fixture(scope="session")
def cloud(template: Template) -> Iterator[CloudHere]:
    """moto with the template's bucket, tables and queues."""
    started = CloudHere(template)
    started.start()
    yield started
    started.stop()


@pytest.fixture
def aws(cloud: CloudHere, monkeypatch: pytest.MonkeyPatch) -> CloudHere:
    """The environment in which the production clients talk to the cloud."""
    enter(cloud, monkeypatch)
    return cloud


@pytest.fixture(scope="session")
def _world() -> Iterator[World]:
    with running() as started:
        yield started


@pytest.fixture
def world(_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """What public DNS and SES say of example.com: all is well."""
    _world.reset()
    enter_world(_world, monkeypatch)
    return _world


# --- the calls that functions make, held against their rights -------------------------------------------------

os.environ[VARIABLE] = str(rights.folder())  # for the functions' processes as well
_seen: set[rights.Call] = set()


@pytest.fixture(autouse=True)
def every_call_is_within_the_rights(request: pytest.FixtureRequest) -> Iterator[None]:
    """Of the functions; a test marked `function("LogicalId")` makes the calls of that one, or of none with ""."""
    marker = request.node.get_closest_marker("function")
    with rights.acting(marker.args[0]) if marker and marker.args[0] else nullcontext():
        yield
    new = rights.read(rights.folder()) - _seen
    _seen.update(new)
    assert rights.without_right(new) == []
