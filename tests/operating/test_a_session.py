"""Sixty commands as a new user would type them, in one session: each status, and what must be said."""

from pathlib import Path

import pytest

from tests.operating.conftest import Office

MAIL = b"Return-Path: <friend@x.example>\r\nFrom: friend@x.example\r\nSubject: hello\r\n\r\nhello\r\n"


@pytest.fixture
def session(office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Office:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POSTERN_DESTINATION_TABLE", office.template.name("DestinationTable"))
    office.happened(("info@example.com", "forwarded", "alias info@example.com"), message_id="aaaaaaaa" + "0" * 24)
    office.sent("aaaaaaaa" + "0" * 24, "gone@dest.example", "info@example.com")
    lost = {"at": 1, "lost": True, "why": "550 5.1.1 no such mailbox"}
    entry = office.entries("aaaaaaaa" + "0" * 24)["via:gone@dest.example"]
    office.cloud.put("LedgerTable", [{**entry, "bounced": lost}])
    office.happened(("info@example.com", "quarantined", "spam FAIL"), message_id="bbbbbbbb" + "0" * 24)
    for message_id in ("aaaaaaaa", "bbbbbbbb"):
        office.store(message_id + "0" * 24, MAIL)
    office.cloud.put(
        "DestinationTable", [{"address": "gone@dest.example", "suspended_at": 1_795_000_000, "reason": "gone"}]
    )
    (tmp_path / "m.eml").write_bytes(MAIL)
    return office


# (status, what is typed, what is said on standard output or error)
TYPED = [
    (0, "--version", "postern "),
    (0, "-h", "Usage"),
    (0, "alias -h", "add"),
    (2, "alias", ""),
    (2, "aliases list", "No such command"),
    (0, "alias ls", "nothing to list"),
    (0, "alias add info jane@dest.example", "+ alias info@example.com"),
    (1, "alias add info joe@dest.example", "is there already"),
    (0, "alias set info --add joe@dest.example --note team", '"joe@dest.example"'),
    (0, "alias show info", "enabled"),
    (1, "alias show nobody", "there is no alias nobody@example.com"),
    (0, "alias add @example.com catch@dest.example", "+ alias @example.com"),
    (1, "alias add info@exmaple.com x@dest.example", "write info@example.com"),
    (1, "alias add other@example.com nonsense", "is not a mail address"),
    (2, "alias add #settings x@dest.example", "no alias begins with #"),
    (0, "alias add old@example.com x@dest.example --expires 2020-01-01", "it has expired"),
    (2, "alias set old --expires soon", "write 2027-01-31"),
    (0, "alias set old --expires 2099-01-31", "expires_at = 2099-01-31 00:00:00 UTC"),
    (0, "alias disable old", "enabled = false"),
    (0, "alias list --disabled", "old@example.com"),
    (0, "alias rm old", "is from now on for @example.com"),
    (0, "resolve info info+x@example.com", "forward jane@dest.example"),
    (1, "resolve x@gmail.example", "not a domain of ours"),
    (0, "resolve anything@example.com", "catch@dest.example"),
    (1, "sender add @spam.example REJECT", "write spam.example"),
    (1, "sender add spam.example BLOCK", "action 'BLOCK'"),
    (0, "sender add spam.example REJECT", "+ sender rule spam.example"),
    (0, "sender add friend@x.example OK --scope info@example.com", "for info@example.com"),
    (0, "sender add * REJECT --scope info@example.com", "+ sender rule * for info@example.com"),
    (0, "screen a@deep.spam.example", "REJECT"),
    (0, "screen friend@x.example --alias info@example.com", "OK"),
    (0, "screen stranger@y.example --alias info@example.com", "REJECT (sender rule *"),
    (1, "sender remove friend@x.example", "there is one for info@example.com"),
    (0, "sender rm * --scope info@example.com", "- sender rule *"),
    (0, "sender ls", "spam.example"),
    (0, "explain m.eml --recipient info@example.com", "forward"),
    (0, "explain m.eml --recipient info@example.com --sender a@spam.example", "reject"),
    (2, "explain m.eml", "explain needs"),
    (0, "settings list", "largest_forward"),
    (0, "settings set largest_forward 25", "largest_forward = 25"),
    (1, "settings set largest_forward 99", "from 1 to 40"),
    (2, "settings set colour blue", "is no setting"),
    (0, "settings get largest_forward", "25"),
    (0, "settings unset largest_forward", "- "),
    (0, "export --out tables.toml", ""),
    (2, "export --out tables.toml", "--force overwrites it"),
    (0, "plan tables.toml --check", "nothing to change"),
    (0, "apply tables.toml", "0 added"),
    (0, "resolve info@example.com --tables tables.toml", "jane@dest.example"),
    (0, "log", "lost"),
    (0, "log --state lost", "550 5.1.1 no such mailbox"),
    (0, "log --state quarantined --since yesterday", "spam FAIL"),
    (2, "log --since banana", "write 30m"),
    (0, "trace aaaaaaaa", "lost: gone@dest.example"),
    (1, "trace zzzzzzzz", "has nothing of message"),
    (0, "original aaaaaaaa", "Subject: hello"),
    (0, "quarantine ls", "spam FAIL"),
    (0, "quarantine release bbbbbbbb --dry-run", "would run for info@example.com"),
    (0, "replay aaaaaaaa --failed --dry-run", "would run for info@example.com"),
    (0, "destination ls", "gone@dest.example"),
    (0, "destination resume gone@dest.example", "is resumed"),
    (0, "redrive --dry-run", ""),
    (0, "rewrite m.eml --recipient info@example.com --destination jane@dest.example", "via example.com"),
]


@pytest.mark.slow
def test_a_session_of_sixty_commands(session: Office) -> None:
    assert len(TYPED) >= 60
    try:
        for status, typed, said in TYPED:
            done = session.run(*typed.split())
            assert (typed, done.status) == (typed, status), done.err
            assert said in done.out + done.err, typed
            assert "Traceback" not in done.err
    finally:
        session.cloud.delete("AliasTable", ({"address": row["address"]} for row in session.cloud.rows("AliasTable")))
        keys = [{"sender": row["sender"], "scope": row["scope"]} for row in session.cloud.rows("SenderTable")]
        session.cloud.delete("SenderTable", keys)
        session.cloud.delete("DestinationTable", [{"address": "gone@dest.example"}])
