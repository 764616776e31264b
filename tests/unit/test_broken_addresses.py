"""The owner's address in the text of a reply, with line breaks in it: programs wrap, quote and flow what they send."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postern_mail.mail.address import Address
from postern_mail.mail.message import Message
from postern_mail.mail.replying.leaks import leaks, terms

JANE = "jane.doe@dest.example"
FLOWED = "Content-Type: text/plain; format=flowed"
DELSP = f"{FLOWED}; delsp=yes"
QP = "Content-Transfer-Encoding: quoted-printable"


def leaking(body: str, head: str = "Content-Type: text/plain", *, host: str = "janes-laptop.fritz.box") -> list[str]:
    """What names Jane, as the person is told."""
    raw = f"Received: from {host} ([10.11.12.13]) by smtp.dest.example; x\r\n{head}\r\n\r\n{body}"
    message = Message.split(raw.encode())
    others = (Address.parse("info@example.com"), Address.parse("betsy@sender.example"))
    return [one.what for one in leaks(message, terms(message, (Address.parse(JANE),), others))]


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (FLOWED, "Write to jane.doe@ \r\ndest.example please"),
        (DELSP, "Write to jane. \r\ndoe@dest.example please"),
        (DELSP, "> > Write to jane.doe@dest. \r\n> > example please"),
        (DELSP, ">> jane.d \r\n>> oe@dest \r\n>> .exam \r\n>> ple"),
        (f"{FLOWED}\r\n{QP}", "jane.doe@=20\r\ndest.exa=\r\nmple"),
        ("Content-Type: text/plain", "jane.doe\r\n@dest.example"),
        ("Content-Type: text/plain", "> jane.doe\n>\n> @dest.example"),
        ("Content-Type: text/plain", "| jane.doe@\r| dest.example"),
        ("Content-Type: text/plain", "> jane.do=\r\n> e@dest.example"),  # quoted before it was decoded
        (f"Content-Type: text/plain\r\n{QP}", "jane.do= \r\ne@dest.example"),  # blanks behind a soft break
        ("Content-Type: text/plain", "jane.doe@\u2028dest.example \u00a0"),
        ("Content-Type: text/plain", "jane.doe@\u200bdest.ex\u00adample"),  # where a line may be broken
        ("Content-Type: text/plain", "jane.doe+shop\r\n ping@dest.example"),
        ("Content-Type: text/plain", "https://lists.example/off?e=jane.doe%\r\n40dest.example"),
        ("Content-Type: text/html", "<p>of<br>jane.doe@<br>\r\ndest.example<br>yours</p>"),
        ("Content-Type: text/html", "<div>jane.doe</div>\r\n<div>@dest.example</div><div>x</div>"),
        ("Content-Type: text/html", "<p>&gt; jane.doe@<br>&gt; dest&shy;.ex<wbr>ample"),
        ("Content-Type: text/html", "<p>jane.doe\r\n   &#64;dest.example"),
        ("Content-Type: application/octet-stream", "x\r\njane.doe@\r\ndest.example"),
        ("Content-Type: multipart/mixed; boundary=b", "--b\r\nContent-Description: jane.doe\r\n @dest.example\r\n\r\n--b--"),
    ],
)  # fmt: skip
def test_a_broken_address_is_found(head: str, body: str) -> None:
    assert any(one.startswith("jane.doe") for one in leaking(body, head))


def test_the_person_is_told_the_address_in_one_piece() -> None:
    assert leaking("of\r\n> jane.\r\n> doe@dest.\r\n> example\r\n> Yours") == [JANE]


BREAKS = st.sampled_from(["\n", "\r\n", " \n", "\r\n> ", "\n>> ", "\n> > ", "\n\n", "\n>\n> ", "\n\t", "\n| "])
TEXT = st.text("abcxyz ,.\n>", max_size=20)


@given(st.lists(st.tuples(st.integers(1, len(JANE) - 1), BREAKS), min_size=1, max_size=5), TEXT, TEXT)
def test_wherever_it_is_broken(breaks: list[tuple[int, str]], before: str, after: str) -> None:
    said = JANE
    for at, mark in sorted(dict(breaks).items(), reverse=True):
        said = said[:at] + mark + said[at:]
    assert JANE in leaking(f"{before} {said} {after}")


@pytest.mark.parametrize("broken", ["janes-lap\r\ntop.fritz.box", "> janes-laptop\r\n> .fritz.box"])
def test_so_is_the_name_of_a_host(broken: str) -> None:
    assert leaking(broken) == ["janes-laptop.fritz.box"]


def test_where_lines_are_known_to_go_on_so_is_a_host_broken_behind_a_dot() -> None:
    assert leaking("> at janes-laptop. \r\n> fritz.box", DELSP) == ["janes-laptop.fritz.box"]
    assert leaking("> ping 10.11. \r\n> 12.13", DELSP) == ["10.11.12.13"]


@pytest.mark.parametrize(
    "text",
    [
        "That is my last.\r\nName the next.",  # two sentences, and a host of two words
        "So it ends at last.\r\n> Name it.",
        "Ping 10.11.12.1\r\n3 times, then 10.11.12.\r\n13 times.",
        "Ask jane.doe\r\nor betsy@dest.example about it",
        "jane.doe@dest.exa\r\nmple-corp.example is another's",
        "@dest.example wrote to me; greetings to jane.doe",
        "jane.doe at\r\ndest example",
    ],
)
def test_what_stands_in_two_lines_of_ordinary_mail_is_none(text: str) -> None:
    assert leaking(text, host="last.name") == []
    assert leaking(text, "Content-Type: text/html", host="last.name") == []


NEAR = (
    "jane doe jane.doe dest example last name Last. Name. at the of @dest dest. betsy@sender.example 10.11 12.13 10. "
    "joe@third.example info@example.com https://sender.example/x?a=1%20b 12:30 - -- > | = x= don't janes laptop "
    "fritz fritz. box box. smtp smtp. @janedoe jane+doe <b> </b> <br>"
)
WORDS = st.sampled_from(NEAR.split(" "))
WRAPS: list[Callable[[str], str]] = [
    lambda text: text,
    lambda text: re.sub(" ", "\r\n", text),
    lambda text: re.sub(" ", " \r\n", text),
    lambda text: re.sub("(?m)^", "> ", re.sub(" ", "\n", text)),
    lambda text: re.sub("(?m)^", "> > ", text.replace(" ", "\r\n", 3)),
]


@given(st.lists(WORDS, max_size=30), st.sampled_from(WRAPS), st.sampled_from(["plain", "plain; format=flowed", "html"]))
def test_ordinary_mail_raises_no_alarm_however_it_is_wrapped(
    words: list[str], wrap: Callable[[str], str], kind: str
) -> None:
    """Words that come near to what names the owner, each alone."""
    text = wrap(" ".join(words))
    near = re.sub(r"[\s>|=]|<[^>]*>", "", text)  # what the words are together
    assert not leaking(text, f"Content-Type: text/{kind}", host="last.name") or "jane.doe@dest" in near
