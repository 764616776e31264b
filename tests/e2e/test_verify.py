"""`postern verify`: each experiment tells both readings apart, and leaves nothing behind."""

import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from postern_command.experiments import cleaning, conversation, submission

from emulator.cloud import HOST
from emulator.function import ROOT
from emulator.receiving.rules import USUAL, Readings
from emulator.system import Emulator
from tests.command import Done, run

pytestmark = [pytest.mark.slow, pytest.mark.long]


@pytest.fixture
def account(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An account whose rules may be asked for as often as one likes."""
    monkeypatch.setattr(cleaning, "PACE", 0)
    monkeypatch.setattr(emulator.rule_api, "interval", 0)
    off = emulator.sending.account.off
    monkeypatch.setattr(submission, "endpoint", lambda _: (HOST, emulator.submission.port))
    monkeypatch.setattr(submission, "trust", ssl._create_unverified_context)
    monkeypatch.setattr(submission, "_PAUSE", 0.01)
    yield emulator
    emulator.sending.account.off, emulator.sending.account.on = off, ()
    reads(emulator, USUAL)


def reads(emulator: Emulator, readings: Readings) -> None:
    emulator.receiving.readings = emulator.rule_set.readings = readings


def verify(emulator: Emulator, *more: object, wait: int = 10) -> Done:
    at = f"{HOST}:{emulator.receiving.port}"
    return run("verify", "--yes", "--json", "--wait", wait, "--endpoint", at, *more, **emulator.environment)


def found(emulator: Emulator, experiment: str, **how: Any) -> str:
    done = verify(emulator, "--only", experiment, **how)
    assert (done.status, done.err) == (0, "")
    (told,) = done.objects
    assert told["untried"] == ""
    return str(told["found"])


def left(emulator: Emulator) -> list[str]:
    """What a run has made and not taken away."""
    topics = emulator.cloud.client("sns").list_topics()["Topics"]
    users = [one["UserName"] for one in emulator.cloud.client("iam").list_users()["Users"]]
    queues = emulator.cloud.sqs.list_queues().get("QueueUrls", [])
    names = [one["Name"] for one in emulator.rule_set.describe()]
    return [name for name in (*names, *(one["TopicArn"] for one in topics), *queues, *users) if "-verify-" in name]


@pytest.mark.parametrize(
    ("experiment", "readings", "says"),
    [
        ("case", USUAL, "SES ignores the case"),
        ("case", Readings(case_matters=True), "SES minds the case"),
        ("tags", USUAL, "`info+x@` meets"),
        ("tags", Readings(tags_match=False), "does not meet"),
        ("bucket", USUAL, "is refused (`Could not write to bucket"),
        ("bucket", Readings(any_rule_may_write=True), "was made"),
        ("null-sender", USUAL, "is empty"),
        ("null-sender", Readings(null_sender="<>"), "is `<>`"),
        ("null-sender", Readings(null_sender=None), "is not there"),
        ("half-match", USUAL, "refused by itself (550"),
        ("half-match", Readings(any_admits_all=True), "is dropped"),
    ],
)
def test_what_comes_in(account: Emulator, experiment: str, readings: Readings, says: str) -> None:
    reads(account, readings)
    assert says in found(account, experiment)
    assert left(account) == []


@pytest.mark.parametrize(
    ("experiment", "switch", "usual", "other"),
    [
        ("attachment", "attachments", "SES refuses it with `", "takes a message with verify.exe"),
        ("dots", "address-dots", "SES refuses", "SES sends to"),
        ("long-lines", "line-length", "SES refuses", "as it is"),
        ("header-recipients", "header-recipients", "addresses in To count", "do not count"),
    ],
)
def test_what_goes_out(account: Emulator, experiment: str, switch: str, usual: str, other: str) -> None:
    assert usual in found(account, experiment)
    account.sending.account.off = (*account.sending.account.off, switch)
    assert other in found(account, experiment)
    assert left(account) == []


@pytest.mark.parametrize(
    ("from_is_the_envelope", "says"),
    [(False, "judges From in SMTP (`554 Access denied"), (True, "judges the envelope sender in SMTP (`554 Access")],
)
def test_what_a_password_is_bound_by(
    account: Emulator, monkeypatch: pytest.MonkeyPatch, from_is_the_envelope: bool, says: str
) -> None:
    monkeypatch.setattr(account.submission, "from_is_the_envelope", from_is_the_envelope)
    assert says in found(account, "from-address")
    assert left(account) == []


def test_a_password_that_ses_does_not_know_in_time(account: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "smtp_password", lambda *_: "BWrong")
    done = verify(account, "--only", "from-address", wait=0)
    assert done.objects[0]["untried"] == "SES's SMTP service did not accept a new password in time"
    assert left(account) == []


def test_where_no_smtp_goes_out(account: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "endpoint", lambda _: (HOST, 1))
    (told,) = verify(account, "--only", "from-address").objects
    assert (told["found"], "Connection refused" in told["untried"]) == ("", True)
    assert left(account) == []


def test_forty_megabytes(account: Emulator) -> None:
    assert "the limit is before base64" in found(account, "large")
    account.sending.account.on = ("encoded-size",)
    assert "the limit is after base64" in found(account, "large")


def test_all_of_them_for_less_than_ten_cents(account: Emulator) -> None:
    """As people see it: what is sent and what it costs first, then the question, then the lines for docs/quirks.md."""
    at = f"{HOST}:{account.receiving.port}"
    done = run("verify", "--wait", 10, "--endpoint", at, stdin="y\n", **account.environment)
    assert done.status == 0
    assert "Run these 11 on example.com for at most 0.01 USD?" in done.err
    lines = [line for line in done.out.splitlines() if line.startswith("- **")]
    assert len(lines) == 11
    quirks = (ROOT / "docs" / "quirks.md").read_text(encoding="utf-8")
    assert all(f"- {line[2:].partition(':')[0].strip()}" in quirks for line in lines), "each has its place there"
    assert left(account) == []


def test_who_says_no_sends_nothing(account: Emulator) -> None:
    before = account.sending.accepted
    assert run("verify", "--only", "case", stdin="n\n", **account.environment).status == 1
    assert (account.sending.accepted, left(account)) == (before, [])


def test_without_port_25_nothing_is_found(account: Emulator) -> None:
    closed = run("verify", "--yes", "--json", "--only", "null-sender", "--wait", 0, "--endpoint", f"{HOST}:1",
                 **account.environment)  # fmt: skip
    assert closed.objects[0]["found"] == ""
    assert "port 1 of 127.0.0.1 cannot be reached" in closed.objects[0]["untried"]
    assert "postern verify --smtp --only null-sender --domain example.com --run " in closed.err

    alone = run("verify", "--smtp", "--json", "--only", "half-match", "--domain", "example.com", "--run", "abc",
                "--endpoint", f"{HOST}:{account.receiving.port}")  # fmt: skip
    assert "SES refused the recipient" in alone.objects[0]["untried"], "no run waits, so no rule has it"
    assert run("verify", "--smtp").status == 2


def test_what_another_host_sends_is_the_waiting_run_s(account: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    at = f"{HOST}:{account.receiving.port}"

    def closed_here(_: conversation.Endpoint) -> str:
        """Meanwhile someone types the command that was printed, where the port is open."""
        with monkeypatch.context() as there:
            there.setattr(conversation.Endpoint, "closed", lambda _: "")
            said = run("verify", "--smtp", "--json", "--only", "null-sender", "--domain", "example.com",
                       "--run", "cafe0123", "--endpoint", at)  # fmt: skip
        assert said.objects[0]["untried"] == "the message did not arrive in time"
        return "port 25 cannot be reached from here"

    monkeypatch.setattr(conversation.Endpoint, "closed", closed_here)
    done = run("verify", "--yes", "--json", "--only", "null-sender", "--wait", 10, "--run", "cafe0123",
               "--endpoint", at, **account.environment)  # fmt: skip
    assert "is empty" in done.objects[0]["found"]


def test_what_a_run_that_was_cut_off_left_goes_by_clean(account: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    before = account.rule_set.describe()

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    from postern_command.experiments import stage  # noqa: PLC0415

    with monkeypatch.context() as cut:
        cut.setattr(stage, "clean", cut_off)
        assert verify(account, "--only", "case").status == 130
    assert len(left(account)) == 5, "two rules, two topics, a queue"
    done = run("verify", "--clean", **account.environment)
    assert (done.status, done.out.count("removed: ")) == (0, 5)
    assert (left(account), account.rule_set.describe()) == ([], before)
    assert "nothing is left" in run("verify", "--clean", **account.environment).out


def test_what_is_no_experiment_is_said(account: Emulator) -> None:
    done = run("verify", "--only", "cases", **account.environment)
    assert (done.status, "there are case, tags," in done.err) == (2, True)
