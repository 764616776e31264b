"""`postern import postfix` as a person meets it, and the seed box's own files."""

import json
from pathlib import Path

import pytest
from postern_command.tables.file import TablesFile

from tests.command import Done
from tests.command import run as postern

SEED_BOX = Path(__file__).parent / "files" / "seed_box"
MAIN_CF = SEED_BOX / "etc" / "postfix" / "main.cf"


def run(*arguments: str | Path) -> Done:
    return postern("import", "postfix", *arguments)


@pytest.fixture
def aliases(tmp_path: Path) -> Path:
    path = tmp_path / "aliases"
    path.write_text("info: jane@dest.example\n")
    return path


def test_the_seed_box(tmp_path: Path) -> None:
    out = tmp_path / "tables.toml"
    done = run("--domain", "example.com", "--main-cf", MAIN_CF, "--root", SEED_BOX, "--out", out, "--json")
    tables = TablesFile.load(out)
    assert {"someone@example.com"} == tables.aliases.keys()
    assert tables.aliases["someone@example.com"]["destinations"] == ["someone@example.org"]
    assert {sender: row["action"] for (sender, _), row in tables.senders.items()} == {
        "myfriend@example.com": "OK",
        "junk@spam.com": "REJECT",
        "marketing@": "REJECT",
        "theboss@": "OK",
        "deals.marketing.com": "REJECT",
        "somedomain.com": "OK",
    }
    assert done.status == 0  # the restrictions become settings; nothing is to be decided
    lines = json.loads(done.out)["lines"]
    assert [line for line in lines if line["verdict"] == "left behind"] == []
    settings = [line for line in lines if "restrictions" in line["text"].split()[0]]
    assert [line["text"].split()[0] for line in settings] == [
        "smtpd_helo_restrictions",
        "smtpd_sender_restrictions",
        "smtpd_recipient_restrictions",
    ]
    said = " ".join(part["says"] for line in settings for part in line["parts"])
    for word in (
        "zen.spamhaus.org",
        "bl.spamcop.net",
        "greylist",
        "reject_non_fqdn_sender",
        "reject_unknown_sender_domain",
    ):
        assert word in said
    stays = [line["text"].split()[0] for line in lines if line["verdict"].startswith("stays for outbound")]
    assert {"relayhost", "smtp_sasl_password_maps", "inet_interfaces"} <= set(stays)


def test_the_tables_alone_go_to_standard_output(aliases: Path) -> None:
    done = run("--domain", "example.com", "--aliases", aliases)
    assert done.status == 0
    assert done.out == '[aliases."info@example.com"]\ndestinations = [\n    "jane@dest.example",\n]\n'
    assert "1 lines need nothing from you" in done.err
    done = run("--domain", "example.com", "--aliases", aliases, "--all")
    assert f"{aliases} (aliases)\n  1: taken over: info: jane@dest.example\n" in done.err


def test_what_is_lost_ends_with_status_1_and_the_file_is_there(aliases: Path, tmp_path: Path) -> None:
    aliases.write_text("info: jane@dest.example\nbob: |vacation\n")
    done = run("--domain", "example.com", "--aliases", aliases, "--out", tmp_path / "out.toml")
    assert done.status == 1
    assert f"{aliases}:2: bob: |vacation\n" in done.out
    assert "1 taken over, 1 impossible" in done.out
    assert TablesFile.load(tmp_path / "out.toml").aliases.keys() == {"info@example.com", "bob@example.com"}


def test_counts_come_first_then_postmaster_and_a_cause_once(aliases: Path, tmp_path: Path) -> None:
    lines = ["info: |vacation", "a: root", "b: root, jane@dest.example", "postmaster: root", "c: jane@dest.example"]
    aliases.write_text("\n".join(lines))
    out = tmp_path / "out.toml"
    said = run("--domain", "example.com", "--aliases", aliases, "--out", out).out.splitlines()
    assert said[:2] == ["lines: 1 taken over, 4 impossible", "needs a person:"]
    assert said[2].startswith("  root was the mailbox of a user on the box")
    assert said[4] == f"      also {aliases}:3, {aliases}:4"
    assert sum("root was the mailbox" in line for line in said) == 1
    assert any(
        line.startswith("note: mail for postmaster@example.com and abuse@example.com reaches no one") for line in said
    )
    assert said[-1] == f"next: postern resolve ADDRESS --tables {out}; if that is right, postern plan {out}"


def test_restrictions_that_are_lost_for_one_reason_are_one_cause(tmp_path: Path) -> None:
    given = ("--domain", "example.com", "--main-cf", MAIN_CF, "--root", SEED_BOX, "--out", tmp_path / "out.toml")
    said = run(*given).out
    assert "needs a person" not in said
    assert TablesFile.load(tmp_path / "out.toml").settings == {
        "address": "#settings",
        "reject_invalid_helo_hostname": "quarantine",
        "reject_non_fqdn_helo_hostname": "quarantine",
        "reject_unknown_helo_hostname": "quarantine",
        "reject_non_fqdn_sender": "quarantine",
        "reject_unknown_sender_domain": "quarantine",
        "dnsbl_sites": "zen.spamhaus.org, bl.spamcop.net",
        "greylist": True,
    }


@pytest.mark.parametrize(
    ("config", "status"),
    [
        ("no_such_parameter = 1", 0),
        ("smtpd_client_restrictions = reject_rbl_client bl.example, check_policy_service inet:localhost:10023", 0),
        ("smtpd_client_restrictions = check_client_access hash:/etc/clients", 1),
        ("smtpd_recipient_restrictions = check_recipient_access hash:/etc/recipients", 1),
        ("header_checks = regexp:/etc/header_checks", 1),
        ("always_bcc = jane@dest.example", 1),
        ("mydestination = example.com, example.org", 1),
    ],
)
def test_the_status_is_1_for_what_the_owner_must_decide(config: str, status: int, tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_text(f"{config}\nalias_maps =\n")
    done = run("--domain", "example.com", "--main-cf", tmp_path / "main.cf", "--root", tmp_path)
    assert (done.status, "needs a person" in done.err) == (status, status == 1)


def test_parameters_that_are_not_known_are_one_cause(tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_text("mine_one = 1\nmine_two = 2\nbiff = no\nbroken_sasl_auth_clients = yes\n")
    said = run("--domain", "example.com", "--main-cf", tmp_path / "main.cf", "--root", tmp_path).err
    assert "  mine_one, mine_two: not known here; instead: look it up in postconf(5)" in said
    assert "2 parameters of main.cf do not affect who gets what" in said


def test_where_a_mailbox_of_the_box_goes_from_now_on(aliases: Path, tmp_path: Path) -> None:
    aliases.write_text("postmaster: root\nabuse: root\n")
    out = tmp_path / "out.toml"
    given = ("--mailbox", "root=me@home.example", "--mailbox", "bob=bob@home.example")
    done = run("--domain", "example.com", "--aliases", aliases, "--out", out, *given)
    assert done.status == 0
    assert {key: row["destinations"] for key, row in TablesFile.load(out).aliases.items()} == {
        "abuse@example.com": ["me@home.example"],
        "bob@example.com": ["bob@home.example"],
        "postmaster@example.com": ["me@home.example"],
        "root@example.com": ["me@home.example"],
    }
    assert "expected NAME=ADDRESS" in run("--domain", "x.example", "--aliases", aliases, "--mailbox", "root").err


def test_main_cf_is_the_box_s_own(tmp_path: Path) -> None:
    """NamedTable by its path on the box, it is that of the copy, and never this machine's."""
    (tmp_path / "etc" / "postfix").mkdir(parents=True)
    (tmp_path / "etc" / "aliases").write_text("info: jane@dest.example\n")
    (tmp_path / "etc" / "postfix" / "main.cf").write_text("mydestination = example.com\n")
    for typed in ("/etc/postfix/main.cf", tmp_path / "etc" / "postfix" / "main.cf"):
        done = run("--domain", "example.com", "--main-cf", typed, "--root", tmp_path)
        assert 'aliases."info@example.com"' in done.out
    done = run("--domain", "example.com", "--main-cf", "/etc/other.cf", "--root", tmp_path)
    assert (done.status, f"file {tmp_path}/etc/other.cf" in done.err) == (2, True)


def test_a_tables_file_is_not_overwritten_unasked(aliases: Path, tmp_path: Path) -> None:
    out = tmp_path / "tables.toml"
    out.write_text("mine")
    done = run("--domain", "example.com", "--aliases", aliases, "--out", out)
    assert (done.status, out.read_text()) == (2, "mine")
    assert "--force" in done.err
    assert run("--domain", "example.com", "--aliases", aliases, "--out", out, "--force").status == 0
    assert "info@example.com" in out.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--domain", "example.com"), "nothing to import"),
        (("--domain", "not a domain", "--aliases", "FILE"), "'not a domain' is not a domain"),
        (("--domain", "example.com", "--aliases", "/no/such/file"), "no such file"),
        (("--domain", "example.com", "--aliases", "/dev/null"), "no such file"),
        (("--domain", "example.com", "--aliases", "ldap:FILE"), "type ldap are not supported"),
        (("--domain", "example.com", "--aliases", "FILE", "--parent-style", "x"), "parent or dot"),
        (("--domain", "example.com", "--aliases", "FILE", "--out", "/no/such/folder/x"), "No such file"),
        (("--aliases", "FILE"), "Missing option"),
    ],
)
def test_wrong_use(arguments: tuple[str, ...], said: str, aliases: Path) -> None:
    done = run(*(argument.replace("FILE", str(aliases)) for argument in arguments))
    assert done.status == 2
    assert said in done.err
    assert "Traceback" not in done.err


def test_what_could_steer_a_terminal_is_escaped(aliases: Path) -> None:
    aliases.write_bytes(b"info: \x1b[31mjane\x9b\xff\n")
    done = run("--domain", "example.com", "--aliases", aliases)
    assert done.status == 1
    assert r"\x1b[31mjane" in done.err
    assert "\x1b" not in done.err
