"""The password: fetched with the instance's role, changed under mail in flight, and seen by no one."""

import ast
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.builders import ROOT
from tests.instance_metadata import ROLE

from .instance import Instance
from .postfix import REGION, SECRET, Relay
from .ses_smtp import SesSmtp

FETCH = [str(ROOT / "relay" / "credentials-fetch"), "--region", REGION, "--secret", SECRET]
MESSAGES = 200


@pytest.fixture
def instance() -> Iterator[Instance]:
    started = Instance()
    yield started
    started.stop()


def secret(username: str, password: str) -> str:
    return json.dumps({"username": username, "password": password})


def test_the_file_is_roots_alone_and_written_once(relay: Relay, instance: Instance) -> None:
    path = relay.config / "sasl_passwd"
    path.unlink()
    assert relay.run(*FETCH, more=instance.environment) == "the credentials are now those of AKIAFIRST\n"
    first = path.stat()
    assert (first.st_mode & 0o777, first.st_uid) == (0o600, 0)
    assert path.read_text() == f"[email-smtp.eu-west-1.amazonaws.com]:{relay.ses_port} AKIAFIRST:first-password\n"
    assert "reload" in relay.said()
    relay.log.write_bytes(b"")

    assert relay.run(*FETCH, more=instance.environment) == ""
    assert path.stat().st_ino == first.st_ino
    assert relay.said() == ""
    assert instance.secrets == [SECRET, SECRET]


def test_an_open_file_is_closed_again(relay: Relay, instance: Instance) -> None:
    (relay.config / "sasl_passwd").chmod(0o644)
    relay.run(*FETCH, more=instance.environment)
    assert (relay.config / "sasl_passwd").stat().st_mode & 0o777 == 0o600


def test_a_new_instance_waits_for_its_role(relay: Relay, instance: Instance) -> None:
    instance.without_role, instance.refusals = 1, [(400, "UnrecognizedClientException")]
    instance.secret = secret("AKIASECOND", "second")
    relay.run(*FETCH, more=instance.environment)
    assert "AKIASECOND:second" in (relay.config / "sasl_passwd").read_text()


@pytest.mark.parametrize(
    ("text", "refusals", "status"),
    [
        ("", [(400, "AccessDeniedException")], 69),
        ("", [(400, "ResourceNotFoundException")], 69),
        ("first half of something", [], 78),
        ("[]", [], 78),
        (secret("AKIA", "two words"), [], 78),
        (secret("AKIA", "line\nbreak"), [], 78),
        (secret("AK:IA", "word"), [], 78),
        (secret("AKIA", ""), [], 78),
    ],
)
def test_what_is_no_use_changes_nothing_and_is_not_told(
    relay: Relay, instance: Instance, text: str, refusals: list[tuple[int, str]], status: int
) -> None:
    before = (relay.config / "sasl_passwd").read_bytes()
    instance.secret, instance.refusals = text, refusals
    said = relay.run(*FETCH, more=instance.environment, status=status)
    assert (relay.config / "sasl_passwd").read_bytes() == before
    assert said.strip()
    assert not (text and text in said)
    assert "two words" not in said


def second_password(relay: Relay, ses: SesSmtp, instance: Instance) -> None:
    """As a rotation should be: the old one still works."""
    relay.wait_for(lambda: ses.state.sent)
    ses.state.passwords["AKIASECOND"] = "second-password"
    instance.secret = secret("AKIASECOND", "second-password")
    relay.run(*FETCH, more=instance.environment)


def third_password_at_ses(relay: Relay, ses: SesSmtp, instance: Instance) -> None:
    """As it should not be: the host has not heard of it."""
    relay.wait_for(lambda: any(sent.username == "AKIASECOND" for sent in ses.state.sent))
    ses.state.passwords = {"AKIATHIRD": "third-password"}


def third_password_here(relay: Relay, ses: SesSmtp, instance: Instance) -> None:
    relay.wait_for(lambda: "535" in ses.state.answered)
    instance.secret = secret("AKIATHIRD", "third-password")
    relay.run(*FETCH, more=instance.environment)


SWITCHES = {50: second_password, 100: third_password_at_ses, 150: third_password_here}


def test_200_messages_while_the_password_is_rotated(relay: Relay, ses: SesSmtp, instance: Instance) -> None:
    """Each arrives once, and none bounces: also while the host still has a password that is no more."""
    with watched() as seen:
        relay.run(*FETCH, more=instance.environment)
        for number in range(MESSAGES):
            if number in SWITCHES:
                SWITCHES[number](relay, ses, instance)
            text = f"From: shop@example.com\nSubject: {number}\n\nHello\n"
            relay.submit("shop@example.com", "jane@dest.example", text=text)
        relay.empty()
    assert sorted(int(str(sent.message["Subject"])) for sent in ses.state.sent) == list(range(MESSAGES))
    assert {sent.username for sent in ses.state.sent} == {"AKIAFIRST", "AKIASECOND", "AKIATHIRD"}
    assert "535" in ses.state.answered
    assert "status=bounced" not in relay.said()
    assert_no_secret(seen, relay)


@contextmanager
def watched() -> Iterator[list[str]]:
    """The command line and environment of every process that begins on this machine meanwhile."""
    seen: list[str] = []
    stop = threading.Event()
    watcher = threading.Thread(target=watch, args=(seen, stop), daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        stop.set()
        watcher.join()


def watch(seen: list[str], stop: threading.Event) -> None:
    looks = {path.name: 3 for path in Path("/proc").glob("[0-9]*")}
    while not stop.wait(0.05):
        for path in Path("/proc").glob("[0-9]*"):
            looks[path.name] = looks.get(path.name, 0) + 1
            if looks[path.name] <= 3:  # the first look may meet it before exec
                for name in ("cmdline", "environ"):
                    with suppress(OSError):  # it has ended
                        seen.append((path / name).read_text(errors="replace"))


def assert_no_secret(seen: list[str], relay: Relay) -> None:
    assert any("credentials-fetch" in line for line in seen), "the watcher saw nothing"
    secrets = ["first-password", "second-password", "third-password", ROLE["SecretAccessKey"], ROLE["Token"]]
    told = [one for one in secrets for line in seen if one in line]
    assert told == []
    files = [path for path in relay.folder.rglob("*") if path.is_file() and path.name != "sasl_passwd"]
    assert relay.log in files
    assert [path for path in files for one in secrets if one.encode() in path.read_bytes()] == []


def test_its_syntax_is_that_of_the_oldest_python_of_the_table() -> None:
    """Amazon Linux 2023 and RHEL 9 have Python 3.9."""
    source = (ROOT / "relay" / "credentials-fetch").read_text()
    ast.parse(source, feature_version=(3, 9))
    assert source.startswith("#!/usr/bin/python3 -I\n")
