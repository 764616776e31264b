"""A stack of its own with something on every page, and a browser that has come in."""

from collections.abc import Iterator

import pytest
from postern_command.pages import calls
from postern_command.pages.desk import Desk
from postern_command.stack import Stack

from emulator.template import Template
from tests.builders import ROOT
from tests.cloud_here import CloudHere
from tests.operating.conftest import Office
from tests.page.browsing import Browser, browser
from tests.world import World

_TABLES = {"AliasTable": ("address",), "SenderTable": ("sender", "scope"), "DestinationTable": ("address",)}


@pytest.fixture(scope="session")
def _page_stack() -> Iterator[tuple[CloudHere, Template]]:
    template = Template.load(ROOT / "template.yaml", "postern-page", {"Domains": "example.com"})
    cloud = CloudHere(template)
    cloud.start()
    yield cloud, template
    cloud.stop()


@pytest.fixture
def office(_page_stack: tuple[CloudHere, Template], world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    made = Office(*_page_stack)
    made.enter(monkeypatch, POSTERN_DESTINATION_TABLE=made.template.name("DestinationTable"))
    made.clear()
    for table, keys in _TABLES.items():
        rows = made.cloud.rows(table)
        made.cloud.delete(table, [{key: row[key] for key in keys} for row in rows])
    calls.listen()
    yield made
    made.clear()


@pytest.fixture
def ann(office: Office) -> Browser:
    """Who runs this domain."""
    return browser(office, Desk(Stack.find(None)))


@pytest.fixture
def guest(office: Office) -> Browser:
    """The same with --read-only."""
    return browser(office, Desk(Stack.find(None), read_only=True))
