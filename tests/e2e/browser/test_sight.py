"""Every page for eyes, and for who has none: at two widths, in light and dark, judged by axe-core."""

from urllib.parse import quote

import pytest

from emulator.receiving.authentication import GTUBE
from tests.e2e.browser.conftest import Served
from tests.e2e.browser.person import Person
from tests.e2e.test_system import JANE, Post, message

pytestmark = pytest.mark.long
INFO = "info@example.com"


@pytest.fixture
def paths(served: Served, person: Person, emulator: object) -> list[str]:
    """All pages, with something on each."""
    post = Post(emulator)  # type: ignore[arg-type]
    message_id = post.send(INFO, raw=message(body=GTUBE), sender="a.sender.with.a.rather.long.name@sender.example")
    post.send("team@example.com")
    post.emulator.cloud.put(
        "DestinationTable",
        [{"address": JANE, "suspended_at": 1, "reason": f"550 {'x' * 120}", "failures": {"1 gone m 550 no"}}],
    )
    rule = {"sender": "rule:010", "scope": "*", "action": "TAG [x]", "subject": {"matches": ["y" * 120]}, "note": "why"}
    post.emulator.cloud.put("SenderTable", [rule])
    return [
        "/", "/mail?since=7d", f"/message?id={message_id}&header=1", "/quarantine", "/aliases?where=info&used=1",
        f"/alias?address={quote(INFO)}&used=1", "/alias/new", "/rules", "/rule/new", "/rule/new?sender=x.example&action=REJECT",
        "/header-rules", "/header-rule/new", "/header-rule?sender=rule:010&scope=*", "/destinations", "/domains", "/settings", "/doctor", "/nowhere",
    ]  # fmt: skip


def test_every_page_at_both_widths_light_and_dark(person: Person, served: Served, paths: list[str]) -> None:
    colours = set()
    for scheme in ("light", "dark"):
        person.do("scheme", scheme=scheme)
        for width in (360, 1280):
            person.do("size", width=width, height=800)
            for path in paths:
                person.do("open", url=f"{served.here}{path}")
                assert person.do("wider") <= 0, (path, width, "must be scrolled sideways")
                assert person.do("axe") == [], (path, width, scheme)
                colours.add(tuple(person.do("colours")))
    assert len(colours) == 2
    assert [one for one in person.do("said") if "404" not in one] == []
