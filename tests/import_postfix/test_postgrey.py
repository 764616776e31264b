"""Postgrey's own files: options and whitelists become settings, and each line says so."""

from pathlib import Path
from typing import Any

import pytest
from postern_mail.mail.greylist import CLIENTS_KEY, RECIPIENTS_KEY
from postern_mail.mail.settings import Settings
from postern_postfix.report import Verdict
from postern_postfix.source import Table

from .box import Imported, imported

MAIN_CF = "mydestination = example.com\nsmtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:10023\n"


def put(root: Path, path: str, text: str) -> None:
    where = root / path.lstrip("/")
    where.parent.mkdir(parents=True, exist_ok=True)
    where.write_text(text)


def settings(done: Imported) -> dict[str, Any]:
    kept = done.tables.settings or {}
    Settings.from_row(kept)
    return {name.removeprefix("greylist_"): kept[name] for name in kept if name.startswith("greylist_")}


def whitelists(done: Imported) -> tuple[list[str], list[str]]:
    kept = done.tables.whitelists or {}
    return kept.get(CLIENTS_KEY, {}).get("lines", []), kept.get(RECIPIENTS_KEY, {}).get("lines", [])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("--inet=10023 --delay=60", {"delay": 60}),
        ("--inet=10023", {"delay": 300}),  # Postgrey's own
        ("--delay 90 --max-age=20", {"delay": 90, "max_age": 20}),
        ("--delay=60 --auto-whitelist-clients=10", {"delay": 60, "auto_whitelist_clients": 10}),
        ("--delay=60 --auto-whitelist-clients", {"delay": 60, "auto_whitelist_clients": 5}),
        ("--delay=60 --auto-whitelist-clients=0", {"delay": 60, "auto_whitelist_clients": 0}),
        ("--delay=999999 --max-age=4000", {"delay": 86400, "max_age": 365}),
        ("--delay=0", {"delay": 1}),
        ("--delay=60 --greylist-text='try --delay=7 later'", {"delay": 60}),
        ("--delay=60 --delay=70", {"delay": 70}),
    ],
)
def test_options_of_etc_default(options: str, expected: dict[str, int], tmp_path: Path) -> None:
    put(tmp_path, "/etc/default/postgrey", f'# options\n\nPOSTGREY_OPTS="{options}"\n#POSTGREY_TEXT="x"\n')
    done = imported(tmp_path, main_cf=MAIN_CF)
    assert settings(done) == expected
    assert done.verdict("default/postgrey", 3) in (Verdict.TAKEN, Verdict.CHANGED)
    assert "Postgrey's options" in done.said("default/postgrey", 3)


def test_the_last_assignment_counts_unless_it_appends(tmp_path: Path) -> None:
    text = 'OPTS="--delay=60"\nOPTS="--max-age=20"\nMORE="--auto-whitelist-clients=7"\nMORE="$MORE \\\n  --delay=90"\nTEXT="hi"\n'
    put(tmp_path, "/etc/default/postgrey", text)
    done = imported(tmp_path, main_cf=MAIN_CF)
    assert settings(done) == {"max_age": 20, "auto_whitelist_clients": 7, "delay": 90}
    assert done.said("default/postgrey", 6) == "TEXT: no option / "


def test_the_unit_and_its_drop_ins(tmp_path: Path) -> None:
    unit = "[Unit]\nDescription=x\n[Service]\nExecStart=/usr/sbin/postgrey --inet=10023 --delay=60 \\\n  --max-age=30\n"
    put(tmp_path, "/lib/systemd/system/postgrey.service", unit)
    assert settings(imported(tmp_path, main_cf=MAIN_CF)) == {"delay": 60, "max_age": 30}
    put(
        tmp_path,
        "/etc/systemd/system/postgrey.service.d/o.conf",
        "[Service]\nExecStart=\nExecStart=postgrey --delay=75\n",
    )
    done = imported(tmp_path, main_cf=MAIN_CF)
    assert settings(done) == {"delay": 75}
    assert done.verdict("postgrey.service", 1) is Verdict.UNNEEDED


def test_a_service_of_master_cf(tmp_path: Path) -> None:
    put(
        tmp_path,
        "/given/master.cf",
        "grey unix - n n - 0 spawn user=postgrey argv=/usr/sbin/postgrey --delay=45 --privacy\n",
    )
    done = imported(tmp_path, main_cf=MAIN_CF)
    assert settings(done) == {"delay": 45}
    assert "the setting greylist_delay is 45" in done.said("master.cf", 1)


def test_without_postgrey_in_main_cf_its_files_are_not_read(tmp_path: Path) -> None:
    put(tmp_path, "/etc/default/postgrey", 'POSTGREY_OPTS="--delay=60"\n')
    done = imported(tmp_path, main_cf="mydestination = example.com\n")
    assert done.tables.settings is None
    assert all(entry.line.table is Table.MAIN_CF for entry in done.report.entries)


def test_without_its_options_it_says_so(tmp_path: Path) -> None:
    done = imported(tmp_path, main_cf=MAIN_CF)
    assert settings(done) == {}
    assert any("held mail waits 60 seconds" in remark for remark in done.report.remarks)
    assert any("[settings] screen mail" in remark for remark in done.report.remarks)


@pytest.mark.parametrize("folder", ["/etc/postgrey/", "/etc/postfix/postgrey_"])
def test_whitelists_where_they_usually_are(folder: str, tmp_path: Path) -> None:
    put(
        tmp_path,
        f"{folder}whitelist_clients",
        "# x\nmail.example.org  # ours\n\n  192.0.2\n2001:db8::/32\n/^mx\\d+\\./\n",
    )
    put(tmp_path, f"{folder}whitelist_clients.local", "mail.example.org\nlocal.example\n/(?<!x)a/\ntwo words\n")
    put(tmp_path, f"{folder}whitelist_recipients", "postmaster@\n")
    put(tmp_path, f"{folder}whitelist_recipients.local", "info@example.com\nlist.example.com\n")
    done = imported(tmp_path, main_cf=MAIN_CF)
    clients = ["mail.example.org", "192.0.2", "2001:db8::/32", "/^mx\\d+\\./", "local.example"]
    assert whitelists(done) == (clients, ["postmaster@", "info@example.com", "list.example.com"])
    assert done.verdict("whitelist_clients", 2) is Verdict.TAKEN
    for line, why in ((3, "no pattern of RE2"), (4, "expected one word")):
        assert done.verdict("whitelist_clients.local", line) is Verdict.LEFT_BEHIND
        assert why in done.said("whitelist_clients.local", line)


def test_a_whitelist_that_is_named_is_read_in_its_place(tmp_path: Path) -> None:
    put(tmp_path, "/etc/postgrey/whitelist_clients", "not.example\n")
    put(tmp_path, "/srv/clients", "named.example\n")
    options = "--delay=60 --whitelist-clients=/srv/clients --whitelist-recipients /srv/none"
    put(tmp_path, "/etc/default/postgrey", f'POSTGREY_OPTS="{options}"\n')
    done = imported(tmp_path, main_cf=MAIN_CF)
    assert whitelists(done) == (["named.example"], [])
    assert done.verdict("default/postgrey", 1) is Verdict.LEFT_BEHIND
    assert "--whitelist-recipients: /srv/none: no such file" in done.said("default/postgrey", 1)


def test_more_lines_than_a_whitelist_has_are_left_behind(tmp_path: Path) -> None:
    put(tmp_path, "/etc/postgrey/whitelist_clients", "".join(f"h{number}.example\n" for number in range(2002)))
    done = imported(tmp_path, main_cf=MAIN_CF)
    assert len(whitelists(done)[0]) == 2000
    assert done.verdict("whitelist_clients", 2001) is Verdict.LEFT_BEHIND


@pytest.mark.parametrize("data", [b"\xff\xfe\n", b"a\x1b[2J\n", b"\0\n", b"/x\n", b"x" * 501 + b"\n"])
def test_whatever_bytes_they_hold(data: bytes, tmp_path: Path) -> None:
    for path in ("/etc/postgrey/whitelist_clients", "/etc/default/postgrey", "/lib/systemd/system/postgrey.service"):
        put(tmp_path, path, "")
        (tmp_path / path.lstrip("/")).write_bytes(data)
    done = imported(tmp_path, main_cf=MAIN_CF)
    assert whitelists(done) == ([], [])
    assert all(entry.parts for entry in done.report.entries)
