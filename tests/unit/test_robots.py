"""What an automatic answer is known by, and what a list is: the damper counts the first, and no answer goes to either."""

import pytest
from postern_mail.lookup import look_up
from postern_mail.mail.address import Address
from postern_mail.mail.damper import AUTOMATIC, echo
from postern_mail.mail.header import Header
from postern_mail.mail.message import Message
from postern_mail.mail.plan import Forward, Policy, plan
from postern_mail.mail.robots import answers, lists

from tests.builders import MESSAGE_ID, event, stored
from tests.builders import envelope as made
from tests.fakes import FakeTables
from tests.forwarding_world import World

JANE = "jane@dest.example"
ANSWERS = [
    "Auto-Submitted: auto-replied",
    "Auto-Submitted: auto-generated (vacation)",
    "auto-submitted : AUTO-NOTIFIED; owner-email=x",
    "X-Autoreply: yes",
    "X-Autoreply: Jane is away",
    "X-AutoReply-From: jane@dest.example",
    "X-Autorespond: vacation",
    "X-Auto-Respond: yes",
    "X-Autoresponder: yes",
    "X-Auto-Response-Suppress: All",
    "X-Auto-Response-Suppress: DR, OOF, AutoReply",
    "Precedence: bulk",
    "Precedence: junk",
    "Precedence: auto_reply",
    "precedence: Auto-Reply",
    "Content-Type: multipart/report; report-type=disposition-notification",
]
LETTERS = [
    "Subject: hi",
    "Auto-Submitted: no",
    "Auto-Submitted: NO (x)",
    "Auto-Submitted:",
    "X-Autoreply: no",
    "X-Auto-Response-Suppress: OOF",
    "X-Auto-Response-Suppress: None",
    "Precedence: first-class",
    "Content-Type: multipart/mixed; boundary=report",
]
LIST_POSTS = [
    "List-Id: <users.lists.example>\r\nPrecedence: list",
    "Precedence: bulk\r\nList-Id: <users.lists.example>",
    "List-Post: <mailto:users@lists.example>\r\nPrecedence: bulk",
    "Mailing-List: contact users-help@lists.example; run by ezmlm\r\nPrecedence: bulk",
    "Precedence: list",
]


def raw(lines: str) -> bytes:
    return f"From: Jane <{JANE}>\r\n{lines}\r\n\r\nbody".encode()


def counts_as(header: Header, destination: str, sender: str) -> str | None:
    """What the damper takes a message for that comes to an alias from where it leads."""
    found = echo(made(source=sender), header, Address.parse("info@example.com"), {Address.parse(destination)})
    return found.what if found else None


@pytest.mark.parametrize("lines", ANSWERS)
def test_an_automatic_answer(lines: str) -> None:
    assert list(answers(Message.split(raw(lines))))


@pytest.mark.parametrize("lines", LETTERS)
def test_a_letter(lines: str) -> None:
    message = Message.split(raw(lines))
    assert [*answers(message), *lists(message)] == []


@pytest.mark.parametrize("lines", LIST_POSTS)
def test_a_list_post_is_no_answer(lines: str) -> None:
    message = Message.split(raw(lines))
    assert (list(answers(message)), bool(list(lists(message)))) == ([], True)


@pytest.mark.parametrize("lines", ANSWERS)
def test_an_answer_from_a_destination_counts_towards_the_damper(lines: str) -> None:
    assert counts_as(Header.of(stored(raw(lines), source=JANE)), JANE, sender=JANE) == AUTOMATIC


@pytest.mark.parametrize("lines", [*LETTERS, *LIST_POSTS])
def test_the_owners_own_letters_and_list_posts_pass(lines: str) -> None:
    world = World()
    source = "users-bounces@lists.example" if lines in LIST_POSTS else JANE
    world.store.messages[MESSAGE_ID] = stored(raw(lines), source=source)
    world.handle(event("info@example.com", source=source))
    assert world.states == {"info@example.com": "forwarded"}


@pytest.mark.parametrize(
    ("destination", "sender"),
    [("jane+alias@dest.example", JANE), (JANE, "jane+x@dest.example"), (JANE, "JANE@dest.example")],
)
def test_a_tag_hides_no_answer(destination: str, sender: str) -> None:
    header = Header.of(f"From: {sender}\r\nX-Autoreply: yes\r\n\r\n".encode())
    assert counts_as(header, destination, sender="x@other.example") == AUTOMATIC


@pytest.mark.parametrize(("path", "automatic"), [("<>", True), (" <> ", True), (f"<{JANE}>", False)])
def test_a_null_return_path_is_a_null_sender(path: str, automatic: bool) -> None:
    """`mail.source` of one is in no public event."""
    written = stored(raw("Subject: x")).replace(b"Return-Path: <betsy@sender.example>", f"Return-Path: {path}".encode())
    found = counts_as(Header.of(written), JANE, sender="postmaster@mx.dest.example")
    assert (found == AUTOMATIC) is automatic


def test_a_null_return_path_is_the_sender_that_rules_see() -> None:
    world = World()
    world.tables.senders["<>", "*"] = {"action": "REJECT"}
    null = stored(b"From: x@other.example\r\n\r\nbody").replace(
        b"Return-Path: <betsy@sender.example>", b"Return-Path: <>"
    )
    world.store.messages[MESSAGE_ID] = null
    world.handle(event("info@example.com", source="postmaster@mx.other.example"))
    assert world.states == {"info@example.com": "rejected"}
    assert Header.of(null).null_sender


def test_the_plan_itself_knows_a_null_return_path() -> None:
    header = Header.of(f"Return-Path: <>\r\nFrom: {JANE}\r\n\r\n".encode())
    envelope, policy = made(source="postmaster@mx.dest.example"), Policy({"example.com"})
    tables = FakeTables({"info@example.com": {"destinations": [JANE]}})
    (decision,) = plan(envelope, header, look_up(tables, envelope, header, policy, 0), policy, 0)
    assert isinstance(decision, Forward)
    assert decision.echo is not None
    assert decision.echo.what == AUTOMATIC
