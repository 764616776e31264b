"""Links in the owner's mail, by HTTP: what a phone does, and what reads mail before it does."""

import http.client
import quopri
import re
import time
import urllib.request
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest

from emulator.receiving.authentication import GTUBE
from emulator.system import Emulator
from tests.e2e.test_system import JANE, Post, message

SPAMMER = "spammer@sender.example"
Page = tuple[int, dict[str, str], str]


@pytest.fixture
def post(emulator: Emulator) -> Post:
    return Post(emulator)


def ask(url: str, method: str = "GET", body: str = "") -> Page:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    connection.request(method, parts.path, body or None, {"Content-Type": "application/x-www-form-urlencoded"})
    answer = connection.getresponse()
    found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
    connection.close()
    return found


def press(url: str) -> Page:
    _, _, page = ask(url)
    return ask(url, "POST", f"press={page.partition('value=')[2][1:33]}")


def links_of(digest: EmailMessage, message_id: str) -> dict[str, str]:
    text = digest.get_content().partition(message_id)[2]
    return {label.split()[0]: url for label, url in re.findall(r"^ *(.+): (http://\S+)\r?$", text, re.MULTILINE)[:3]}


def test_a_message_is_released_from_the_digest(post: Post) -> None:
    """The digest of the day, an hour after midnight; its links lead to this machine."""
    message_id = post.send("info@example.com", raw=message(GTUBE + b"\r\n"), sender=SPAMMER)
    assert post.ledger(message_id)["to:info@example.com"]["state"] == "quarantined"
    to_morrow = 86_400 - time.time() % 86_400 + 3600
    found = links_of(post.digest(ahead=to_morrow), message_id)
    assert set(found) == {"Release", "Block", "Switch"}
    for url in found.values():  # what looks for viruses opens all of them, and may even post
        assert [ask(url, method)[0] for method in ("GET", "HEAD", "POST")] == [200, 200, 200]
    assert post.ledger(message_id)["to:info@example.com"]["state"] == "quarantined"
    status, header, page = press(found["Release"])
    assert (status, header["content-type"]) == (200, "text/html; charset=utf-8")
    assert "is released for info@example.com" in page
    assert post.emulator.retries.consume() == [None]
    post.emulator.settle()
    assert post.arrived()[JANE] == 1
    assert press(found["Release"])[0] == 404
    assert "REJECT" in press(found["Block"])[2]
    (rule,) = [row for row in post.emulator.cloud.rows("SenderTable") if row["sender"] == SPAMMER]
    assert (rule["reject"], rule["made_by"]) == ("", "link")
    post.emulator.cloud.delete("SenderTable", [{"sender": SPAMMER, "scope": "*"}])  # it was made by itself, and stays
    assert "postern alias enable info@example.com" in press(found["Switch"])[2]


def test_whoever_reads_the_mailbox_fetches_what_ses_does_not_send(post: Post) -> None:
    part = b'--b\r\nContent-Disposition: attachment; filename="tool.exe"\r\n\r\nMZ\r\n--b--\r\n'
    raw = message(part, header=b"Content-Type: multipart/mixed; boundary=b\r\n")
    post.send("info@example.com", raw=raw)
    text = quopri.decodestring(post.last(JANE).partition(b"\r\n\r\n")[2]).decode()
    assert "The message is kept until " in text
    (url,) = re.findall(r"http://\S+", text)
    for _ in range(2):
        address = press(url)[2].partition('href="http')[2].partition('"')[0].replace("&amp;", "&")
        with urllib.request.urlopen(f"http{address}", timeout=60) as answer:
            assert answer.headers["Content-Disposition"] == 'attachment; filename="message.eml"'
            assert answer.read().endswith(raw)
