"""The whitelists of the grey hold in a tables file, on the tables of moto's DynamoDB."""

from pathlib import Path

import pytest

from .conftest import Desk

CLIENTS, RECIPIENTS = "#postgrey_whitelist_clients", "#postgrey_whitelist_recipients"
FILE = """\
domains = ["example.com"]

[whitelists]
clients = [
    "mail.example.org",
    "192.0.2.0/24",
]
recipients = [
    "postmaster@",
]
"""


def test_a_file_is_applied_and_exported_as_it_was(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "tables.toml"
    file.write_text(FILE)
    planned = desk.run("plan", file, "--json").objects
    assert {(one["table"], one["change"], one["address"]) for one in planned} == {
        ("whitelists", "add", CLIENTS), ("whitelists", "add", RECIPIENTS),
    }  # fmt: skip
    assert "whitelist of clients" in desk.run("plan", file).out
    assert desk.run("apply", file, "--yes").status == 0
    assert desk.aliases()[CLIENTS]["lines"] == ["mail.example.org", "192.0.2.0/24"]
    assert desk.run("plan", file, "--check").status == 0
    assert FILE[FILE.index("[whitelists]") :] in desk.run("export").out
    file.write_text('domains = ["example.com"]\n')
    assert desk.run("plan", file, "--check").status == 0  # a file without the section is not about them
    file.write_text('domains = ["example.com"]\n\n[whitelists]\nclients = ["mail.example.org"]\n')
    assert desk.run("apply", file, "--yes").status == 0
    assert {key: row["lines"] for key, row in desk.aliases().items()} == {CLIENTS: ["mail.example.org"]}


@pytest.mark.parametrize(
    ("section", "status", "said"),
    [
        ('clients = ["two words"]', 1, "whitelist of clients: line 1, 'two words': expected one word"),
        ('recipients = ["/(/"]', 1, "whitelist of recipients: line 1, '/(/': no pattern of RE2"),
        ('clients = "mail.example.org"', 2, "whitelists, clients: expected a list of lines"),
        ('networks = ["192.0.2.0/24"]', 2, "[whitelists] takes clients and recipients"),
    ],
)
def test_what_is_no_whitelist_is_named(desk: Desk, tmp_path: Path, section: str, status: int, said: str) -> None:
    file = tmp_path / "tables.toml"
    file.write_text(f"[whitelists]\n{section}\n")
    done = desk.run("plan", file)
    assert done.status == status
    assert said in done.err
