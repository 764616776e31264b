"""Two live tables, empty before each test, and the command run on them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from emulator.template import Template
from tests.builders import ROOT
from tests.cloud_here import CloudHere, enter
from tests.command import Done, run
from tests.world import World


@dataclass(frozen=True)
class Desk:
    """The live tables, and a person who edits them by command or in the console."""

    cloud: CloudHere
    template: Template

    def run(self, *arguments: object, **environment: str) -> Done:
        """Run the command in this process: a traceback is raised here."""
        return run(*arguments, **environment)

    def type(self, table: str, item: dict[str, Any]) -> None:
        """Put an item as the console does, in DynamoDB's own JSON."""
        self.cloud.dynamodb.put_item(TableName=self.template.name(table), Item=item)

    def aliases(self) -> dict[str, dict[str, Any]]:
        return {row["address"]: row for row in self.cloud.rows("AliasTable")}

    def senders(self) -> dict[tuple[str, str], dict[str, Any]]:
        return {(row["sender"], row["scope"]): row for row in self.cloud.rows("SenderTable")}

    def clear(self) -> None:
        self.cloud.delete("AliasTable", ({"address": key} for key in self.aliases()))
        self.cloud.delete("SenderTable", ({"sender": key[0], "scope": key[1]} for key in self.senders()))


@pytest.fixture(scope="session")
def _desk() -> Iterator[Desk]:
    template = Template.load(ROOT / "template.yaml", "postern-desk", {"Domains": "example.com"})
    cloud = CloudHere(template)
    cloud.start()
    yield Desk(cloud, template)
    cloud.stop()


@pytest.fixture
def desk(_desk: Desk, world: World, monkeypatch: pytest.MonkeyPatch) -> Desk:
    variables = {
        "POSTERN_ALIAS_TABLE": _desk.template.name("AliasTable"),
        "POSTERN_SENDER_TABLE": _desk.template.name("SenderTable"),
        "POSTERN_DESTINATION_TABLE": _desk.template.name("DestinationTable"),
        "POSTERN_LEDGER_TABLE": _desk.template.name("LedgerTable"),
        "POSTERN_DOMAINS": "example.com,example.org",
    }
    enter(_desk.cloud, monkeypatch, **variables)
    _desk.clear()
    return _desk


# In export's own form.
FILE = """\
domains = [
    "example.com",
    "example.org",
]

[aliases."@example.com"]
destinations = [
    "@dest.example",
]

[aliases."info@example.com"]
destinations = [
    "jane@dest.example",
    "joe@dest.example",
]
enabled = false
expires_at = 1800000000
keep_tag = true
note = "two lines\\nand \\"quotes\\""

[aliases."team@example.org"]
destinations = [
    "other@example.com",
]

[[senders]]
sender = "<>"
scope = "*"
action = "OK"

[[senders]]
sender = "spam.example"
scope = "*"
action = "REJECT no thanks"

[[senders]]
sender = "spam.example"
scope = "info@example.com"
action = "OK"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tables.toml"
    path.write_text(FILE)
    return path


def numbered(count: int, destination: str = "jane@dest.example") -> str:
    return "".join(f'[aliases."a{number}@example.com"]\ndestinations = ["{destination}"]\n' for number in range(count))
