"""What strangers write reaches a terminal only as letters: every command that lists or shows mail, and the digest."""

import json
import quopri
from pathlib import Path

import pytest
from postern_mail.mail.address import Address
from postern_mail.mail.digest import Section, digest, line

from tests.operating.conftest import Office

HOSTILE = {
    "clear": "\x1b[2J",
    "title": "\x1b]0;owned\x07",
    "link": "\x1b]8;;http://x.example\x1b\\click\x1b]8;;\x1b\\",
    "c1": "\x9b31m",
    "bell": "\x07\x08\x08",
    "line": "a\rb\nc",
    "del": "\x7f",
    "bidi": "\u202eexe.cod\u2066",
    "invisible": "a\u200bb\ufeff",
    "tag": "\U000e0041",
}
TERMINAL = {"COLUMNS": "80", "TTY_COMPATIBLE": "1", "TERM": "dumb"}


def is_safe(text: str) -> bool:
    return all(one.isprintable() or one == "\n" for one in text)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_command_prints_what_acts(office: Office, text: str, tmp_path: Path) -> None:
    source = f"{text}@evil.example"
    message_id = office.happened(("info@example.com", "quarantined", f"rule {text}"), source=source)
    lost = office.happened(("team@example.com", "forwarded", f"alias {text}"), source=source)
    office.sent(lost, "jane@dest.example", "team@example.com", detail=text)
    said = {"at": 1, "lost": True, "why": f"550 {text} {'x' * 60}"}
    office.cloud.put("LedgerTable", [{**office.entries(lost)["via:jane@dest.example"], "bounced": said}])
    office.cloud.put("AliasTable", [{"address": "note@example.com", "destinations": text, "note": text, text: text}])
    office.cloud.put("SenderTable", [{"sender": f"{text}x.example", "scope": "*", "action": text, "note": text}])
    failing = {"address": "gone@dest.example", "suspended_at": 1, "reason": text, "failures": {f"1 gone m {text}"}}
    office.cloud.put("DestinationTable", [failing])
    letter = {"requestPayload": {"Records": [{"eventSource": "aws:ses", "ses": {"mail": {"messageId": text}}}]}}
    office.cloud.sqs.send_message(QueueUrl=office.url("DeadLetterQueue"), MessageBody=json.dumps(letter))
    health = {"POSTERN_DESTINATION_TABLE": office.template.name("DestinationTable")}
    mail = tmp_path / "m.eml"
    mail.write_bytes(f"From: {text.replace(chr(10), '')} <a@x.example>\r\nSubject: {text}\r\n\r\nx\r\n".encode())
    try:
        for arguments in (
            ("log",), ("log", "--wide"), ("trace", message_id), ("trace", lost), ("trace", text), ("quarantine", "list"),
            ("quarantine", "show", message_id), ("original", text), ("replay", text), ("redrive", "--dry-run"), ("doctor",),
            ("destination", "list", "--all"), ("destination", "show", "gone@dest.example"), ("alias", "list"),
            ("alias", "show", "note@example.com"), ("sender", "list"), ("screen", source), ("resolve", source),
            ("explain", mail, "--recipient", "note@example.com"), ("alias", "show", text), ("sender", "remove", text),
            ("settings", "set", "subject_tag", text),
        ):  # fmt: skip
            done = office.run(*arguments, **TERMINAL, **health)
            assert is_safe(done.out), arguments
            assert is_safe(done.err), arguments
    finally:
        office.cloud.delete("AliasTable", [{"address": "note@example.com"}])
        office.cloud.delete("SenderTable", [{"sender": f"{text}x.example", "scope": "*"}])
        office.cloud.delete("DestinationTable", [{"address": "gone@dest.example"}])


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_nor_does_the_digest(text: str) -> None:
    section = Section(text, (line("quarantined", f"m from {text}: {text}", "postern", message_id=text, who=text),), 1)
    made = digest("2026-11-26", [section], Address.parse("x@example.com"), Address.parse("me@home.example"))
    header, _, body = made.partition(b"\r\n\r\n")
    assert is_safe(header.decode("ascii").replace("\r", ""))
    lines = quopri.decodestring(body).decode().replace("\r", "").splitlines()
    assert is_safe("\n".join(line for line in lines if "m from" in line))
