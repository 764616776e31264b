"""Replies from the alias: what leaves, and what must not."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postern_mail.mail.address import Address
from postern_mail.mail.message import Message
from postern_mail.mail.replying.addressees import Addressees, addressees
from postern_mail.mail.replying.contact import Contact, correspondents, marks, shown
from postern_mail.mail.replying.leaks import leaks, terms
from postern_mail.mail.replying.outgoing import outgoing
from postern_mail.mail.replying.thread import joined, own_thread, sent_ids
from postern_mail.mail.replying.token import MAX_LOCAL_PART, contact_id, reply_address, row_named
from postern_mail.mail.thread import identifiers

from tests.written_replies import PROGRAMS, Owner, written

KEY = b"a key of the tests"
INFO, BETSY = Address.parse("info@example.com"), Address.parse("betsy@sender.example")
ROW = contact_id(KEY, INFO, BETSY, 0)
TO = reply_address(KEY, ROW, "reply", "example.com")
CONTACT = Contact(
    ROW, INFO, BETSY, "Betsy Smith", known=marks(Message.split(b"Message-ID: <1@sender.example>\r\n\r\n"))
)
FORWARD = "<0102018f@eu-west-1.amazonses.com>"
THREAD = f"<1@sender.example> <mine@private.host.example> {FORWARD}"


def left(raw: bytes, contact: Contact = CONTACT, name: str = "") -> bytes:
    message = Message.split(raw)
    people = addressees(message, INFO, {str(TO): contact})
    assert not people.others, people.others
    return bytes(outgoing(message, INFO, name, contact, people, contact.known))


def header(raw: bytes) -> bytes:
    return raw.partition(b"\r\n\r\n")[0]


WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=6, max_size=12)
NAME = st.text("bcdfghjkqvwxyz", min_size=5, max_size=9).map(str.title)
IP = st.tuples(*[st.integers(11, 250)] * 4).map(lambda parts: ".".join(map(str, parts)))
OWNERS = st.builds(
    lambda words, names, ips: Owner(
        address=f"q{words[0]}@z{words[1]}.example", name=" ".join(names), machine=f"x{words[2]}.lan.example",
        ip=ips[0], server=f"v{words[3]}.relay.example", server_ip=ips[1],
    ),
    st.tuples(WORD, WORD, WORD, WORD), st.tuples(NAME, NAME), st.tuples(IP, IP),
)  # fmt: skip


NAMES = st.one_of(
    st.sampled_from(["Received", "X-Mailer", "Sender", "Reply-To", "Resent-From", "Comments", "Bcc", "List-Post", "Face"]),
    st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=12).map(lambda name: f"X-{name}"),
)  # fmt: skip


@given(st.sampled_from(PROGRAMS), OWNERS, st.lists(st.tuples(NAMES, st.integers(0, 5)), max_size=4))
def test_nothing_of_the_owner_is_in_the_header_that_leaves(
    program: object, owner: Owner, more: list[tuple[str, int]]
) -> None:
    raw = written(program, owner, str(TO), thread=THREAD)  # type: ignore[arg-type]
    raw = "".join(f"{name}: x {owner.marks[which]} x\r\n" for name, which in more).encode() + raw
    out = left(raw)
    said = header(out).decode().lower()
    found = [mark for mark in (*owner.marks, owner.address.partition("@")[0]) if mark.lower() in said]
    assert found == []
    assert out.partition(b"\r\n\r\n")[2] == raw.partition(b"\r\n\r\n")[2]  # the body is the stranger's own


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda one: one.__name__)
def test_a_reply_is_from_the_alias_to_the_correspondent_and_in_her_thread(program: object) -> None:
    out = Message.split(left(written(program, Owner(), str(TO), thread=THREAD)))  # type: ignore[arg-type]
    said = {field.name: field.value.decode() for field in out.fields}
    assert said["from"] == "<info@example.com>"
    assert said["to"] == '"Betsy Smith" <betsy@sender.example>'
    assert (said["subject"], said["in-reply-to"]) == ("Re: Lunch?", "<1@sender.example>")
    assert said["references"] == "<1@sender.example>"
    assert said.keys() <= {
        "from", "to", "subject", "date", "in-reply-to", "references", "mime-version", "content-type",
        "content-transfer-encoding", "content-disposition", "content-language",
    }  # fmt: skip


def test_the_alias_has_a_name_of_its_own() -> None:
    assert b'From: "Example Shop" <info@example.com>' in left(
        written(PROGRAMS[0], Owner(), str(TO)), name="Example Shop"
    )


@pytest.mark.parametrize(
    "date", ["Sun, 22 Nov 2026 13:00:00 +0100 (janes-laptop)", "yesterday on janes-laptop", "=?utf-8?q?janes-laptop?="]
)
def test_a_date_leaves_without_what_else_stands_there(date: str) -> None:
    out = left(f"From: a@b.example\r\nTo: {TO}\r\nDate: {date}\r\n\r\nx".encode())
    assert b"janes-laptop" not in out


# Tokens


def test_a_token_stands_for_one_row_in_one_domain_and_no_one_can_make_one() -> None:
    assert row_named(KEY, TO) == ROW
    assert row_named(KEY, Address.parse(str(TO).upper())) == ROW  # some servers change case
    assert row_named(b"another key", TO) == ""
    assert row_named(KEY, Address(TO.local, "other.example")) == ""
    for at in range(len("reply+"), len(TO.local)):
        changed = "a" if TO.local[at] != "a" else "b"
        assert row_named(KEY, Address(TO.local[:at] + changed + TO.local[at + 1 :], TO.domain)) == ""
    assert row_named(KEY, Address.parse("reply+short@example.com")) == row_named(KEY, INFO) == ""


def test_a_token_fits_into_a_local_part_and_each_revocation_makes_another() -> None:
    assert len(reply_address(KEY, ROW, "r" * MAX_LOCAL_PART, "example.com").local) == 64
    assert len({contact_id(KEY, INFO, BETSY, serial) for serial in range(5)}) == 5
    assert contact_id(KEY, Address.parse("INFO@example.com"), BETSY, 0) == ROW


# To and Cc


def found(raw: str, **contacts: Contact) -> Addressees:
    return addressees(Message.split(raw.encode() + b"\r\n\r\nx"), INFO, {str(TO): CONTACT, **contacts})


def test_reply_addresses_become_correspondents_and_the_alias_goes() -> None:
    people = found(f"To: {TO}, Info <INFO@example.com>\r\nCc: info@example.com, x <{TO}>")
    assert people == Addressees({"to": (CONTACT,), "cc": (CONTACT,)})


@pytest.mark.parametrize(
    ("raw", "others"),
    [
        (f"To: {TO}\r\nCc: Joe <joe@third.example>", ("joe@third.example",)),
        (f"To: {TO}, jane@dest.example", ("jane@dest.example",)),
        (f"To: friends: {TO}, joe@third.example;", ("joe@third.example",)),
        (f"To: {TO}\r\nTo: joe@third.example", ("joe@third.example",)),
        (f"To: {TO} (joe@third.example)\r\nCc: =?utf-8?q?joe=40third=2Eexample?=", ("joe@third.example",)),
    ],
)
def test_anyone_else_is_named(raw: str, others: tuple[str, ...]) -> None:
    assert found(raw).others == others


def test_what_cannot_be_read_as_an_address_is_a_fault() -> None:
    assert found(f"To: {TO}, some <words\r\nCc: x").fault
    assert found("To: " + ", ".join([str(TO)] * 400)).fault


def test_the_address_of_another_aliases_correspondent_is_anyone_else() -> None:
    other = replace(CONTACT, alias=Address.parse("shop@example.com"), row_id="other")
    address = str(reply_address(KEY, "abcdefghij", "reply", "example.com"))
    assert found(f"To: {TO}, {address}", **{address: other}).others == (address,)


@pytest.mark.parametrize("alias", ["info@example.com", "info+shop@example.com"])
@pytest.mark.parametrize(
    "named", ["info@example.com", "Info+Shop@Example.com", "x <info+a+b@example.com>", "info+@example.com"]
)
def test_a_tagged_alias_is_the_alias(alias: str, named: str) -> None:
    contact = replace(CONTACT, alias=Address.parse(alias))
    tagged = replace(CONTACT, alias=Address.parse("info+news@example.com"), address=Address.parse("joe@sender.example"))
    raw = f"To: {TO}\r\nCc: {named}, reply+2@example.com\r\n\r\nx".encode()
    people = addressees(Message.split(raw), contact.alias, {str(TO): contact, "reply+2@example.com": tagged})
    assert people == Addressees({"to": (contact,), "cc": (tagged,)})


@pytest.mark.parametrize(
    "named", ["infos+shop@example.com", "info+shop@third.example", "+info@example.com", "info-shop@example.com"]
)
def test_what_is_no_tag_makes_another_address(named: str) -> None:
    assert found(f"To: {TO}, {named}").others == (named,)


# Threads


def test_ids_of_others_and_of_the_owner_do_not_leave() -> None:
    message = Message.split(f"References: {THREAD}\r\nIn-Reply-To: {FORWARD}\r\n\r\n".encode())
    assert [field.value for field in own_thread(message, CONTACT.known, b"\r\n")] == [b"<1@sender.example>"] * 2
    assert own_thread(message, (), b"\r\n") == []


def test_the_owners_id_comes_back_beside_sess() -> None:
    raw = b"References: <1@sender.example>\r\n <0102@email.amazonses.com>\r\nIn-Reply-To: <0102@email.amazonses.com>\r\n\r\n"
    message = Message.split(raw)
    assert sent_ids(message) == ("0102",)
    references, parent = (joined(one, {"0102": "<CAF1@x.lan>"}, b"\r\n") for one in message.fields)
    assert identifiers(references.value) == ["<1@sender.example>", "<0102@email.amazonses.com>", "<CAF1@x.lan>"]
    assert identifiers(parent.value) == ["<CAF1@x.lan>"]
    assert joined(message.fields[0], {}, b"\r\n") is message.fields[0]


# Leaks


def leaking(body: str, head: str = "Content-Type: text/plain", owner: Owner = Owner()) -> list[str]:  # noqa: B008 (frozen)
    received = (
        f"Received: from {owner.machine} ([{owner.ip}]) by {owner.server}; x\r\nMessage-ID: <1@{owner.machine}>\r\n"
    )
    message = Message.split(f"{received}Subject: Re: Lunch?\r\n{head}\r\n\r\n{body}".encode())
    named = terms(message, (Address.parse(owner.address),), (INFO, BETSY))
    return [str(one) for one in leaks(message, named)]


@pytest.mark.parametrize(
    ("head", "body", "what"),
    [
        ("Content-Type: text/plain", "I am Jane.Doe@dest.example.", "jane.doe@dest.example in part 1 (text/plain)"),
        ("Content-Type: text/plain", "see janes-laptop.fritz.box!", "janes-laptop.fritz.box in part 1 (text/plain)"),
        ("Content-Type: text/plain", "ping 10.11.12.13", "10.11.12.13 in part 1 (text/plain)"),
        ("Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable", "jane.doe=\r\n=40dest.exam=\r\nple",
         "jane.doe@dest.example in part 1 (text/plain)"),
        ("Content-Type: text/plain\r\nContent-Transfer-Encoding: base64", "amFuZS5kb2VAZGVzdC5leGFtcGxl",
         "jane.doe@dest.example in part 1 (text/plain)"),
        ("Content-Type: text/html", "jane.doe&#64;dest.example", "jane.doe@dest.example in part 1 (text/html)"),
        ("Content-Type: text/calendar", "ATTENDEE:mailto:jane.d\r\n oe@dest.example",
         "jane.doe@dest.example in part 1 (text/calendar)"),
        ('Content-Type: multipart/mixed; boundary="_janes-laptop.fritz.box-1"', "--_janes-laptop.fritz.box-1--",
         "janes-laptop.fritz.box in boundary of part 1 (multipart/mixed)"),
        ("Content-Type: multipart/related; boundary=b",
         "--b\r\nContent-Type: image/png\r\nContent-ID: <i1@dest.example>\r\n\r\nx\r\n--b--",
         "dest.example in Content-ID of part 2 (image/png)"),
        ("Content-Type: multipart/related; boundary=b",
         "--b\r\nContent-Type: image/png\r\nContent-ID: <1@janes-laptop.fritz.box>\r\n\r\nx\r\n--b--",
         "janes-laptop.fritz.box in Content-ID of part 2 (image/png)"),
        ("Content-Type: multipart/mixed; boundary=b",
         "--b\r\nContent-Type: message/rfc822\r\n\r\nTo: jane.doe@dest.example\r\n\r\nx\r\n--b--",
         "jane.doe@dest.example in To of part 3 (text/plain)"),
        ("Content-Type: multipart/mixed; boundary=b",
         "--b\r\nContent-Type: application/pgp-keys\r\n\r\nx\r\n--b--", "a PGP key in part 2 (application/pgp-keys)"),
    ],
)  # fmt: skip
def test_what_names_the_owner_in_the_body_is_found(head: str, body: str, what: str) -> None:
    assert what in leaking(body, head)


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("Content-Type: text/plain", "\u30e1\u30fc\u30eb\u306fjane.doe@dest.example\u307e\u3067"),
        ("Content-Type: text/plain", "_jane.doe@dest.example_ -jane.doe@dest.example-"),
        ("Content-Type: text/plain", "jane.doe+shop@dest.example"),
        ("Content-Type: text/plain", "https://lists.example/off?e=jane.doe%40dest.example"),
        ("Content-Type: text/html", "jane.doe<b>@</b><!-- -->dest.example"),
        ("Content-Type: text/x-vcard", "EMAIL:jane.d\r\n oe@dest.example"),
        ("Content-Type: text/plain\r\nContent-Transfer-Encoding: base64 (x)", "amFuZS5kb2VAZGVzdC5leGFtcGxl"),
        ("Content-Type: application/msword", "\0".join("jane.doe@dest.example")),
        ("Content-Type: multipart/mixed; boundary=b", "of jane.doe@dest.example\r\n--b\r\n\r\nx\r\n--b--"),
        ("Content-Type: multipart/mixed; boundary=b", "--b\r\n\r\nx\r\n--b--\r\nof jane.doe@dest.example\r\n"),
        ("Content-Type: multipart/mixed; boundary=b",
         "--b\r\nContent-Type: a/b; name*0=jane.doe@de;\r\n name*1=st.example\r\n\r\nx\r\n--b--"),
        ("Content-Type: multipart/mixed; boundary=b",
         "--b\r\nContent-Disposition: attachment; filename*=utf-8''jane.doe%40dest.example.pdf\r\n\r\nx\r\n--b--"),
    ],
)  # fmt: skip
def test_an_address_is_found_however_programs_write_it(head: str, body: str) -> None:
    assert any(one.startswith("jane.doe") for one in leaking(body, head))


def test_a_text_is_read_to_its_end() -> None:
    """Below pictures that stand within it, for one."""
    assert leaking("x" * 700_000 + " jane.doe@dest.example") == ["jane.doe@dest.example in part 1 (text/plain)"]


@pytest.mark.parametrize("said", ["janedoe@gmail.com", "jane.doe@googlemail.com", "j.anedoe+x@GMail.com"])
def test_gmail_has_one_mailbox_for_many_spellings(said: str) -> None:
    assert leaking(said, owner=Owner(address="jane.doe@gmail.com")) == [f"{said.lower()} in part 1 (text/plain)"]


@pytest.mark.parametrize(
    "field",
    [
        "Subject: boundary=jane.doe@dest.example",
        "Subject: x=?utf-8?q?_jane.doe=40dest.example?=",
        "Content-Type: text/plain; name*=utf-8''jane.doe%40dest.example",
        'Content-Disposition: inline; filename="jane.doe\\@dest.example.pdf"',
    ],
)
def test_an_address_in_a_field_that_leaves_is_found_however_it_is_written(field: str) -> None:
    found = leaks(Message.split(f"{field}\r\n\r\nx".encode()), ("jane.doe@dest.example",))
    assert [one.what for one in found if one.in_header][:1] == ["jane.doe@dest.example"]


def test_parameters_that_contradict_one_another_are_no_failure() -> None:
    assert leaking("x", "Content-Type: multipart/mixed; boundary*=a; boundary*0=b; name*=a; name*0=b") is not None


def test_a_time_of_day_is_no_address_of_a_network() -> None:
    owner = Owner(server="smtp.dest.example; Sun, 22 Nov 2026 12:34:56 +0000 (from 2001:db8::77)")
    assert leaking("See you at 12:34:56.", owner=owner) == []
    assert leaking("from 2001:DB8::77", owner=owner) == ["2001:db8::77 in part 1 (text/plain)"]


def test_what_names_others_is_none() -> None:
    assert leaking("betsy@sender.example and info@example.com at mail.sender.example, joe@dest.example") == []
    assert leaking("jane.doe@dest.example.org, x-jane.doe@dest.example, janes-laptop.fritz.box.example") == []
    assert leaking("mail me at my gmail.com account", owner=Owner(address="jane@gmail.com")) == []


def test_a_name_in_the_subject_is_in_the_header() -> None:
    message = Message.split(b"Subject: =?utf-8?q?jane=2Edoe=40dest=2Eexample?=\r\n\r\nx")
    (leak,) = leaks(message, ("jane.doe@dest.example",))
    assert leak.in_header


# What a forward says


def test_correspondents_are_whom_reply_to_names_else_from() -> None:
    def names(raw: bytes) -> list[str]:
        return [shown(one) for one in correspondents(Message.split(raw), BETSY)]

    assert names(b"From: Betsy <betsy@sender.example>\r\n\r\n") == ["Betsy at sender.example"]
    assert names(b"From: a@x.example\r\nReply-To: list@y.example\r\n\r\n") == ["list at y.example"]
    assert names(b"From: nobody\r\n\r\n") == []
    assert names(b"Subject: x\r\n\r\n") == ["betsy at sender.example"]
    many = b", ".join(b"a%d@x.example" % number for number in range(30))
    assert len(names(b"From: " + many + b"\r\n\r\n")) == 10
    assert (
        re.search("[@<>]", shown(correspondents(Message.split(b'From: "x@y" <a@b.example>\r\n\r\n'), None)[0])) is None
    )


@pytest.mark.parametrize(
    "head",
    [
        'Content-Type: text/plain; charset="\xff"', "Content-Type: text/plain; charset*0*=x'%zz",
        "Content-Type: multipart/mixed; boundary*=utf-8''%ff", "Content-Type: text/plain; charset=nonsense",
        "Content-Type: message/rfc822",
    ],
)  # fmt: skip
def test_a_body_in_an_odd_form_is_looked_at_without_a_failure(head: str) -> None:
    assert "jane.doe@dest.example" in leaking("jane.doe@dest.example", head)[0] or "cannot be read" in str(
        leaking("x", head)
    )


def test_parts_within_parts_without_end_are_no_failure() -> None:
    body, head = "", "Content-Type: multipart/mixed; boundary=b"
    for number in range(3000):
        body += f"--b{number or ''}\r\nContent-Type: multipart/mixed; boundary=b{number + 1}\r\n\r\n"
    assert leaking(body, head) in ([], ["anything in a body that cannot be read"])
