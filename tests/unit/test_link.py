"""Signed links and their pages: what is read of one, and that nothing in a page acts."""

import ast
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postern_mail.mail import link as links
from postern_mail.mail import link_pages
from postern_mail.mail.link import Deed, Door, Link, signed
from postern_mail.mail.link_pages import Done, Page

from tests.builders import ROOT

KEY, OTHER, NOW = b"k" * 32, b"o" * 32, 1_800_000_000.0
LINK = Link(Deed.RELEASE, "m1", "info@example.com", int(NOW) + 60)
HOSTILE = '"><script>alert(1)</script>\u202e\x1b[2J&lt;'


@pytest.mark.parametrize("deed", Deed)
def test_a_link_is_read_as_it_was_signed(deed: Deed) -> None:
    link = Link(deed, "m1", "bücher@example.com", int(NOW) + 1)
    assert links.read(KEY, signed(KEY, link), NOW) == link


@given(st.text(max_size=400).filter(lambda one: max(one, default="") < "\ud800" or max(one) > "\udfff"), st.integers(0))
def test_whatever_is_signed_is_read(who: str, more: int) -> None:
    link = Link(Deed.OFF, "", who.encode("utf-8", "replace").decode()[:200], int(NOW) + 1 + more % 10**6)
    text = signed(KEY, link)
    assert len(text) > links.MOST or links.read(KEY, text, NOW) == link


def test_a_link_that_is_over_is_none() -> None:
    assert links.read(KEY, signed(KEY, LINK), LINK.until - 1) == LINK
    assert links.read(KEY, signed(KEY, LINK), LINK.until) is None


@pytest.mark.parametrize(
    "text",
    ["", ".", "x", "a.b", "favicon.ico", "../../etc/passwd", "é.é", "\ud800.\ud800", "." * 2000, "A" * 10_000],
)
def test_what_was_never_signed_is_none(text: str) -> None:
    assert links.read(KEY, text, NOW) is None


def test_a_link_altered_at_any_place_is_none() -> None:
    text = signed(KEY, LINK)
    for at in range(len(text)):
        for other in "AZaz09-_.=%~":
            if other != text[at]:
                assert links.read(KEY, text[:at] + other + text[at + 1 :], NOW) is None, at
        assert links.read(KEY, text[:at] + text[at + 1 :], NOW) is None
        assert links.read(KEY, text[:at], NOW) is None
    for more in ("=", "A", ".", "%00", "?utm_source=x", " "):
        assert links.read(KEY, text + more, NOW) is None
        assert links.read(KEY, more + text, NOW) is None
    assert links.read(KEY, text.upper(), NOW) is None
    assert links.read(OTHER, text, NOW) is None


def test_a_signature_is_good_for_nothing_else() -> None:
    """Neither is the button's a link's, nor that of another link."""
    text, other = signed(KEY, LINK), signed(KEY, Link(Deed.OFF, "m1", "info@example.com", LINK.until))
    pressed = links.button(KEY, text)
    assert links.is_pressed(KEY, text, pressed)
    for wrong in ("", pressed[:-1], pressed.upper(), links.button(KEY, other), text.rpartition(".")[2], "é"):
        assert not links.is_pressed(KEY, text, wrong)
    assert links.read(KEY, f"{text.rpartition('.')[0]}.{pressed}", NOW) is None


def test_signatures_are_compared_in_constant_time() -> None:
    """No `==` on what is secret: each comparison of the module is of a length, a time or a deed."""
    tree = ast.parse((ROOT / "layers/postern/postern_mail/mail/link.py").read_text(encoding="utf-8"))
    compared = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Compare)]
    assert compared == ["self is not Deed.FETCH", "len(text) > MOST", "link.until > now"]
    assert "hmac.compare_digest" in ast.unparse(tree)


def test_a_link_in_mail_is_one_word_that_ends_in_a_letter_or_digit() -> None:
    """A mail program leaves a point, a hyphen or a bracket at the end out of what it makes a link of."""
    url = Door("https://abc.lambda-url.eu-west-1.on.aws/", KEY).for_days(Deed.OFF, "", "a-b_c@example.com", NOW)
    assert url.startswith("https://abc.lambda-url.eu-west-1.on.aws/")
    assert url.split() == [url]
    assert url[-1].isalnum()
    link = links.read(KEY, url.rpartition("/")[2], NOW)
    assert link is not None
    assert link.until == NOW + 7 * 86_400


class Seen(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page.body)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def names(self) -> list[str]:
        return [tag for tag, _ in self.tags]


@pytest.mark.parametrize("deed", Deed)
def test_nothing_of_a_stranger_acts_in_a_page(deed: Deed) -> None:
    """The elements are the same as with harmless text, and what cannot be seen is spelled out."""
    harmless = link_pages.question(Link(deed, "m", "w", 1), "s", "b", proven=False)
    hostile = link_pages.question(Link(deed, HOSTILE, HOSTILE, 1), HOSTILE, HOSTILE, proven=False)
    assert Seen(hostile).names == Seen(harmless).names
    assert [sorted(names) for _, names in Seen(hostile).tags] == [sorted(names) for _, names in Seen(harmless).tags]
    assert not {"\u202e", "\x1b"} & set(hostile.body)
    after = link_pages.done(Done(HOSTILE, HOSTILE, f"https://s3.example/{HOSTILE}"))
    assert Seen(after).names == Seen(link_pages.done(Done("a", "b", "https://c"))).names


@pytest.mark.parametrize("deed", Deed)
def test_a_question_is_one_form_with_one_button_and_no_script(deed: Deed) -> None:
    page = link_pages.question(Link(deed, "m1", "info@example.com", 1), "betsy@sender.example", "b", proven=True)
    seen = Seen(page)
    assert [tag for tag in seen.tags if tag[0] == "form"] == [("form", {"method": "post"})]
    assert seen.names.count("button") == 1
    assert not {"script", "img", "iframe", "input", "a"} & set(seen.names)
    assert not [name for _, names in seen.tags for name in names if name.startswith("on") or name == "style"]
    assert "info@example.com" in seen.text


def test_a_rule_is_shown_before_it_is_written() -> None:
    link = Link(Deed.BLOCK, "m1", "spam@bad.example", 1)
    page = Seen(link_pages.question(link, "spam@bad.example", "b", proven=False))
    assert "spam@bad.example REJECT" in page.text
    assert "no proof" in page.text
    assert "no proof" not in Seen(link_pages.question(link, "spam@bad.example", "b", proven=True)).text


def test_pages_may_load_nothing_and_are_kept_by_no_one() -> None:
    policy = link_pages.HEADERS["content-security-policy"]
    assert policy.split("; ")[0] == "default-src 'none'"
    assert {"form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"} <= set(policy.split("; "))
    assert "script" not in policy
    assert link_pages.HEADERS["referrer-policy"] == "no-referrer"
    assert link_pages.HEADERS["cache-control"] == "no-store"
    assert link_pages.HEADERS["x-content-type-options"] == "nosniff"
