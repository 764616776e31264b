"""What strangers write is text on every page: the tree of elements and attributes is that of a page about nothing bad."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.operating.conftest import Office
from tests.page.browsing import Browser, Page

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "image": "<img src=x onerror=alert(1)>",
    "quote": "\"' onmouseover=alert(1) x='\"",
    "end of a value": '"><svg onload=alert(1)>',
    "end of text": "</pre></td></textarea></title><script>alert(1)</script>",
    "comment": "<!--",
    "section": "]]><![CDATA[",
    "template": "{{ 7*7 }}{% raw %}",
    "reference": "&lt;script&gt;&#60;b&#62;",
    "url": "javascript:alert(1)",
    "style": "</style><style>*{display:none}</style>",
    "base": "<base href=http://evil.example/><meta http-equiv=refresh content=0>",
    "bidi": "\u202eexe.cod\u2066",
    "control": "\x00\x1b[2J\x07\x85\x9b31m",
    "lines": "a\r\nb\x0b\x0c\u2028c",
    "lone": "\ud800<b>",
    "form": "<form action=http://evil.example><input name=form_token>",
}


def told(office: Office, text: str, at: float) -> str:
    """A message that has this text wherever a stranger can write; returns its id."""
    clean = text.replace("\ud800", "")
    source = f"{clean}@evil.example"
    kept = [(who, "quarantined", f"rule {clean}") for who in ("info@example.com", '"<img src=x>"@example.com')]
    message_id = office.happened(*kept, source=source)
    said = {"at": 1, "lost": True, "why": f"550 {clean}"}
    claim = {
        "message_id": message_id,
        "entry": "via:jane@dest.example",
        "state": "sent",
        "recipient": "info@example.com",
    }
    office.cloud.put("LedgerTable", [{**claim, "detail": clean, "bounced": said, "at": int(at)}])
    octets = text.encode("utf-8", "surrogatepass").replace(b"\n", b"").replace(b"\r", b"")
    office.store(message_id, _MAIL % {b"text": octets, b"body": text.encode("utf-8", "surrogatepass")})
    office.cloud.put("AliasTable", [_alias(clean)])
    office.cloud.put("SenderTable", [{"sender": f"{clean}x.example", "scope": "*", "action": clean, "note": clean}])
    office.cloud.put("SenderTable", [_header_rule(clean)])
    failing = {"address": "gone@dest.example", "suspended_at": 1, "reason": clean, "failures": {f"1 gone m {clean}"}}
    office.cloud.put("DestinationTable", [failing])
    return message_id


def _alias(text: str) -> dict[str, Any]:
    key = f"a{text}@example.com".lower()
    return {"address": key, "destinations": ["jane@dest.example"], "note": text, "updated_at": 1, "updated_by": text}


def _header_rule(text: str) -> dict[str, Any]:
    plain = text or "x"
    conditions = {"subject": {"contains": plain}, "to": {"matches": [plain, plain]}, "verdicts": {plain: plain}}
    written = {"updated_at": 1, "updated_by": text}
    return {"sender": f"rule:{text}", "scope": "*", "action": f"TAG {text}", "note": text, **conditions, **written}


_MAIL = b"""From: %(text)s <a@x.example>\r
To: "%(text)s" <info@example.com>\r
Subject: %(text)s\r
List-Id: %(text)s\r
Content-Type: multipart/mixed; boundary=b\r
\r
--b\r
Content-Type: text/plain; charset=utf-8\r
\r
%(body)s\r
--b\r
Content-Type: text/html; name="%(text)s"\r
Content-Disposition: attachment; filename="%(text)s"\r
\r
<script>x</script>\r
--b--\r
"""


def pages(ann: Browser, text: str) -> Iterator[tuple[str, str]]:
    """(what it is, the HTML) of every page that shows what strangers wrote, and those that show what was typed."""
    message_id = told(ann.office, text, 1)
    typed, clean = quote(text, safe="", errors="ignore"), text.replace("\ud800", "")
    key = quote(_alias(clean)["address"], safe="")
    for path in (
        "/", "/mail?since=7d", f"/message?id={message_id}", f"/message?id={message_id}&header=1", "/quarantine", "/aliases",
        "/rules", "/destinations", "/settings", f"/alias?address={key}&used=1", f"/aliases?q={typed}&where={typed}",
        f"/alias/new?address={typed}", f"/rule/new?sender={typed}", f"/mail?sender={typed}", f"/rules?q={typed}",
        "/header-rules", f"/header-rule?sender=rule%3A{quote(clean, safe='')}&scope=%2A", "/header-rule/new",
    ):  # fmt: skip
        found = ann.get(path)
        assert found.status_code < 500, (path, found.text)
        yield path.partition("?")[0], found.text
    for path in (f"/mail?state={typed}", f"/mail?since={typed}", f"/alias?address={typed}x", f"/message?id={typed}"):
        found = ann.get(path)
        assert not text or found.status_code in (400, 404, 409, 502), (path, found.text)
        yield path.partition("=")[0], found.text
    for action, form in (
        ("/rule/add", {"sender": f"{clean}.example", "action": f"REJECT {clean}", "scope": "*", "note": clean}),
        ("/alias/add", {"address": "new@example.com", "destinations": f"jane@dest.example\n{clean}", "note": clean}),
        ("/alias/remove", {"address": _alias(clean)["address"]}),
        (
            "/header-rule/add",
            {"number": "7", "action": f"REJECT {clean}", "subject": f"contains {clean}", "note": clean},
        ),
        ("/header-rule/save", {"sender": f"rule:{clean}", "scope": "*", "action": clean, "from": f"equals {clean}"}),
        ("/header-rule/move", {"sender": f"rule:{clean}", "scope": "*", "to": "9", "seen": f'{{"note": "{clean}"}}'}),
        ("/header-rule/remove", {"sender": f"rule:{clean}", "scope": "*"}),
        ("/rule/remove", {"sender": f"{clean}x.example", "scope": "*", "seen": f'{{"note": "{clean}"}}'}),
    ):
        found = ann.post(action, {**form, "form_token": ann.gate.form_token(action)})
        assert found.status_code < 500
        yield action, found.text


def skeleton(html: str) -> set[tuple[str, tuple[str, ...]]]:
    """Each kind of element with its attributes; html5lib ends the test at what is no HTML. All addresses are ours."""
    page = Page(None, html)  # type: ignore[arg-type]
    found = set()
    for one in page.tree.iter():
        if not isinstance(one.tag, str):
            raise AssertionError(f"a comment: {one.text}")
        for name in ("href", "action", "src"):
            assert one.get(name, "/").startswith(("/", "#")), one.attrib
            assert not one.get(name, "/").startswith("//"), one.attrib
        if one.tag == "meta":
            assert set(one.attrib) in ({"charset"}, {"name", "content"})
        found.add((one.tag, tuple(sorted(one.attrib))))
    return found


def shown(html: str) -> str:
    """All that is read: the text, and the attributes except the values of fields, which go back as they came."""
    tree = Page(None, html).tree  # type: ignore[arg-type]
    told = [value for one in tree.iter() for name, value in one.attrib.items() if name != "value"]
    return "".join((*tree.itertext(), *told))


@pytest.fixture
def allowed(ann: Browser) -> set[tuple[str, tuple[str, ...]]]:
    """What pages about nothing bad have."""
    return set().union(*(skeleton(html) for text in ("plain", "") for _, html in pages(ann, text)))


Kinds = set[tuple[str, tuple[str, ...]]]


@pytest.mark.slow
def test_no_page_has_an_element_or_an_attribute_that_its_template_has_not(ann: Browser, allowed: Kinds) -> None:
    closed(ann, "everything", "".join(HOSTILE.values()), allowed)


@pytest.mark.slow
@pytest.mark.long
def test_nor_with_each_alone(ann: Browser, allowed: Kinds) -> None:
    for name, text in HOSTILE.items():
        ann.office.clear()
        closed(ann, name, text, allowed)


def closed(ann: Browser, name: str, text: str, allowed: Kinds) -> None:
    for path, html in pages(ann, text):
        assert not skeleton(html) - allowed, (name, path)
        assert all(one.isprintable() or one == "\n" for one in shown(html)), (name, path)


@pytest.mark.slow
def test_what_was_written_is_read_as_it_was_written(ann: Browser) -> None:
    text = HOSTILE["end of a value"]
    message_id = told(ann.office, text, 1)
    page = ann.page(f"/message?id={message_id}")
    assert text in page.text
    assert text in ann.page("/mail?since=7d").text
    (note,) = (one for one in ann.page(f"/alias?address={quote(_alias(text)['address'])}").tree.iter("input") if one.get("name") == "note")  # fmt: skip
    assert note.get("value") == text
