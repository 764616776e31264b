"""Aliases from a password manager, by HTTP: a token, a name, and mail to it."""

import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from postern_command.tables.file import TablesFile
from postern_mail.mail.token import ROWS, new_token

from emulator.function import ROOT
from emulator.system import Emulator
from tests import command
from tests.e2e.test_system import JANE, Post
from tests.password_managers import Asked, as_bitwarden_reads, as_the_extension_reads, bitwarden, extension

EXTENSION = "moz-extension://7a3c53"


@pytest.fixture
def post(emulator: Emulator) -> Iterator[Post]:
    yield Post(emulator)
    made = [row["address"] for row in emulator.cloud.rows("AliasTable")]
    rows = {row["address"]: row for row in emulator.cloud.rows("AliasTable")}
    ours = [key for key in made if key.startswith(ROWS) or rows[key].get("made_by") == "token phone"]
    emulator.cloud.delete("AliasTable", ({"address": key} for key in ours))


def token(emulator: Emulator, *more: str) -> dict[str, str]:
    """What `postern token add` says."""
    done = command.run("token", "add", "phone", "--to", JANE, "--json", *more, **emulator.environment)
    assert done.status == 0, done.err
    (said,) = done.objects
    return {name: str(value) for name, value in said.items()}


def ask(url: str, asked: Asked, text: str, origin: str = "") -> tuple[int, dict[str, str], str]:
    headers = {**asked.headers, "authorization": f"Bearer {text}", **({"origin": origin} if origin else {})}
    request = urllib.request.Request(f"{url}{asked.path}", asked.body.encode() or None, headers, method=asked.method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, dict(answer.headers), answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read().decode()


def test_an_alias_is_made_and_mail_to_it_arrives_until_the_token_is_removed(post: Post) -> None:
    said = token(post.emulator, "--limit", "2")
    status, _, body = ask(said["url"], bitwarden("example.com"), said["token"])
    address = as_bitwarden_reads(status, body)
    post.emulator.load(TablesFile.load(ROOT / "emulator" / "tables.toml"))  # as when the file was edited
    assert post.ledger(post.send(address))[f"to:{address}"]["state"] == "forwarded"
    assert post.arrived() == {JANE: 1}
    assert as_the_extension_reads(*_read(said, extension("example.com", "custom", "info"))).startswith("That alias")
    assert as_bitwarden_reads(*_read(said, bitwarden("example.com"))) == (
        "error: You have reached your daily limit for creating new aliases"
    )
    assert command.run("token", "remove", "phone", **post.emulator.environment).status == 0
    removed = ask(said["url"], bitwarden("example.com"), said["token"])
    assert removed[::2] == (401, '{"message": "Unauthenticated."}')
    assert removed[::2] == ask(said["url"], bitwarden("example.com"), new_token(secrets.choice))[::2]
    assert post.ledger(post.send(address))[f"to:{address}"]["state"] == "forwarded"


def _read(said: dict[str, str], asked: Asked) -> tuple[int, str]:
    status, _, body = ask(said["url"], asked, said["token"])
    return status, body


def test_a_browser_lets_an_extension_ask(post: Post) -> None:
    said = token(post.emulator)
    first = Asked("OPTIONS", "/api/v1/aliases", {"access-control-request-method": "POST"})
    status, header, _ = ask(said["url"], first, "", EXTENSION)
    assert (status, header["access-control-allow-origin"]) == (200, EXTENSION)
    sent = {name.lower() for name in extension("example.com").headers}
    assert sent <= set(header["access-control-allow-headers"].split(","))
    status, header, body = ask(said["url"], extension("example.com"), said["token"], EXTENSION)
    assert (status, header["access-control-allow-origin"]) == (201, EXTENSION)
    assert json.loads(body)["data"]["domain"] == "example.com"
