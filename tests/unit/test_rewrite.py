import base64
import tracemalloc
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import getaddresses, parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postern_mail.mail.address import Address
from postern_mail.mail.message import Message
from postern_mail.mail.rewrite import ADDRESS, MAX_HEADER_RECIPIENTS, NAME, ONCE_ONLY, REMOVED, Style, rewrite
from postern_mail.mail.ses_block import passes_for_ses
from postern_mail.mail.stamp import TEST_KEY, is_stamped, stamp

from emulator.sending import rules
from emulator.sending.refusals import Account, Request
from emulator.sending.rules import check
from tests.builders import MESSAGE_ID, envelope
from tests.ses import brought_in, ours
from tests.unit.test_message import HEADERISH

ALIAS = Address("info", "example.com")
STAMP = f"X-Postern-Loop: {stamp(TEST_KEY, ALIAS)}\r\n".encode()
OURS = {"from", "reply-to", "references", "cc"}  # edited or written; every other field stays or goes whole


def rewritten(raw: bytes, source: str = "betsy@x.example", style: Style = Style()) -> bytes:  # noqa: B008
    return rewrite(raw, ALIAS, envelope(source=source), style)


def unstamped(raw: bytes) -> bytes:
    """The result without what is added to every message, for tests of something else."""
    added = (b"x-postern-loop:", b"x-postern-original-message-id:", b"x-postern-original-date:", b"cc: <info@")
    return b"".join(line for line in raw.splitlines(keepends=True) if not line.lower().startswith(added))


def display(raw: bytes) -> str:
    """The display name as a mail program shows it."""
    name, address = parseaddr(message_from_bytes(raw)["From"])
    assert address == "info@example.com"
    return str(make_header(decode_header(name)))


def staying(raw: bytes) -> list[bytes]:
    """The fields that are not ours to change, as a simpler program would find them."""
    kept, seen = [], set()
    for one in Message.split(raw).fields:
        surplus = one.name in ONCE_ONLY and one.name in seen
        seen.add(one.name)
        ours = one.name.startswith("x-postern-") and one.name != "x-postern-loop"
        ours = ours or passes_for_ses(one)
        if not (one.name in OURS | REMOVED or one.name.startswith("x-ses-") or ours or surplus):
            kept.append(one.raw.rstrip(b"\r\n"))
    return kept


@given(HEADERISH)
def test_the_body_and_every_field_not_ours_stay_byte_for_byte(raw: bytes) -> None:
    before, after = Message.split(raw), Message.split(rewritten(raw))
    assert bytes(after.body) == bytes(before.body)
    added = ("x-postern-loop", "x-postern-original-message-id", "x-postern-original-date")
    found = [one.raw.rstrip(b"\r\n") for one in after.fields if one.name not in OURS and one.name not in added]
    assert found == staying(raw)


@given(HEADERISH)
def test_there_is_exactly_one_from_and_it_is_the_aliass(raw: bytes) -> None:
    fields = Message.split(rewritten(raw)).named("from")
    assert len(fields) == 1
    assert fields[0].raw.rstrip(b"\r\n").endswith(b"<info@example.com>")


@given(st.text(), st.sampled_from([b"\r\n", b"\n"]))
def test_no_display_name_can_bring_a_field_of_its_own(name: str, newline: bytes) -> None:
    name_bytes = name.encode("utf-8", "surrogatepass").replace(b"\n", b"\n ").replace(b"\r", b"\r ")
    raw = b'From: "' + name_bytes + b'" <betsy@x.example>' + newline + b"Subject: s" + newline * 2 + b"body"
    before, after = Message.split(raw), Message.split(rewritten(raw))
    assert {field.name for field in after.fields} <= {field.name for field in before.fields} | {
        "from",
        "reply-to",
        "x-postern-loop",
        "cc",
    }
    lines = [line for field in after.named("from") for line in field.raw.splitlines()]
    assert all(len(line) <= (300 if b'"' in line else 76) for line in lines)


@pytest.mark.parametrize(
    ("author", "shown"),
    [
        (b"betsy@x.example", "betsy at x.example via example.com"),
        (b"<betsy@x.example>", "betsy at x.example via example.com"),
        (b"Betsy <betsy@x.example>", "Betsy (betsy at x.example) via example.com"),
        (b'"betsy@x.example" <betsy@x.example>', "betsy at x.example via example.com"),
        (b'"Doe, John" <j@x.example>', "Doe, John (j at x.example) via example.com"),
        (b'"a <b> c" <j@x.example>', "a <b> c (j at x.example) via example.com"),
        (b'"say \\"hi\\" \\\\ bye" <j@x.example>', 'say "hi" \\ bye (j at x.example) via example.com'),
        (b"=?utf-8?Q?Jos=C3=A9?= <j@x.example>", "Jos\N{LATIN SMALL LETTER E WITH ACUTE} (j at x.example) via example.com"),
        ("\N{PARTY POPPER}\N{PARTY POPPER} <j@x.example>".encode() , "\N{PARTY POPPER}\N{PARTY POPPER} (j at x.example) via example.com"),
        (b"A <a@x.example>, B <b@y.example>", "A (a at x.example) via example.com"),
        (b"", "betsy at x.example via example.com"),
        (b"undisclosed:;", "betsy at x.example via example.com"),
    ],
)  # fmt: skip
def test_the_authors_name_and_address_are_in_the_display_name(author: bytes, shown: str) -> None:
    assert display(rewritten(b"From: " + author + b"\r\n\r\n")) == shown


def test_a_message_without_any_author_says_so() -> None:
    raw = rewritten(b"Subject: s\r\n\r\n", source="<>")
    assert display(raw) == "unknown sender via example.com"
    assert b"Reply-To" not in raw


def test_a_long_name_is_cut_and_folded() -> None:
    raw = rewritten(
        b'From: "' + "l\N{LATIN SMALL LETTER O WITH DIAERESIS}ng name ".encode() * 100 + b'" <betsy@x.example>\r\n\r\n'
    )
    assert max(map(len, raw.splitlines())) <= 76
    assert display(raw).endswith("\N{HORIZONTAL ELLIPSIS} (betsy at x.example) via example.com")


def test_what_is_removed_and_what_stays() -> None:
    raw = (
        b"Return-Path: <x@y.example>\r\nReceived: from a\r\n by b\r\nX-SES-Spam-Verdict: PASS\r\n"
        b"x-ses-configuration-set: stolen\r\nDKIM-Signature: v=1;\r\n b=abc\r\nDkim-Signature: v=1\r\n"
        b"Sender: list@x.example\r\nFrom: Betsy <betsy@x.example>\r\nMessage-ID: <1@x>\r\nMessage-Id:\r\n <2@x>\r\n"
        b"Subject: =?x?=\r\n: no name\r\nX-SESAME: stays\r\nResent-From: y@z.example\r\n\r\nbody"
    )
    assert rewritten(raw) == (
        b"Received: from a\r\n by b\r\n"
        b'From: "Betsy (betsy at x.example) via example.com" <info@example.com>\r\n'
        b'Reply-To: "Betsy" <betsy@x.example>\r\nCc: <info@example.com>\r\nReferences: <1@x>\r\n'
        b"X-Postern-Original-Message-ID: <1@x>\r\n" + STAMP + b"Message-ID: <1@x>\r\n"
        b"Subject: =?x?=\r\n: no name\r\nX-SESAME: stays\r\nResent-From: y@z.example\r\n\r\nbody"
    )


@pytest.mark.parametrize("name", sorted(REMOVED))
def test_each_field_that_must_not_go_on(name: str) -> None:
    raw = f"{name.title()}: <x@y.example>\r\n folded\r\nFrom: betsy@x.example\r\n\r\nbody".encode()
    assert not Message.split(rewritten(raw)).named(name)


@pytest.mark.parametrize("name", sorted(ONCE_ONLY - REMOVED - {"from", "reply-to", "references", "message-id"}))
def test_of_a_field_that_ses_takes_once_the_first_stays(name: str) -> None:
    raw = f"From: a@x.example\r\n{name}: 1\r\n one\r\n{name.upper()}: 2\r\n\r\n".encode()
    assert [one.raw for one in Message.split(rewritten(raw)).named(name)] == [f"{name}: 1\r\n one\r\n".encode()]


def test_the_two_transcriptions_of_ses_list_agree() -> None:
    assert rules.ONCE_ONLY == ONCE_ONLY


SES_BLOCK = (
    b"Return-Path: <x@y.example>\r\nReceived: from a by inbound-smtp.eu-west-1.amazonaws.com with SMTP id "
    + MESSAGE_ID.encode()
    + b"\r\n for info@example.com;\r\n"
    b"X-SES-Spam-Verdict: PASS\r\nReceived-SPF: pass\r\n (ses)\r\nAuthentication-Results: amazonses.com; spf=pass\r\n"
    b"X-SES-RECEIPT: x\r\nX-SES-DKIM-SIGNATURE: x\r\n"
)
FORGED = b"Authentication-Results: amazonses.com; dmarc=pass\r\nReceived-SPF: pass (forged)\r\n"
LEFT = b"Received-SPF: pass (forged)\r\n"  # it names no one who found that


def test_what_ses_found_stays_readable_and_a_forgery_does_not_pass_for_it() -> None:
    raw = rewritten(SES_BLOCK + b"Received: from b by inbound-smtp.c\r\n" + FORGED + b"From: a@x.example\r\n\r\n")
    assert raw.startswith(
        b"Received: from a by inbound-smtp.eu-west-1.amazonaws.com with SMTP id "
        + MESSAGE_ID.encode()
        + b"\r\n for info@example.com;\r\n"
        b"X-Postern-Received-SPF: pass\r\n (ses)\r\nX-Postern-Authentication-Results: amazonses.com; spf=pass\r\n"
        b"Received: from b by inbound-smtp.c\r\n" + LEFT
    )
    assert raw.count(b"X-Postern-Auth") == raw.count(b"X-Postern-Received") == 1


def test_without_ses_block_nothing_is_taken_for_its_findings() -> None:
    assert b"X-Postern-Auth" not in rewritten(FORGED + b"From: a@x.example\r\n\r\n")
    assert b"X-Postern-Auth" not in rewritten(b"Received: from a by mx.y.example\r\n" + FORGED + b"\r\n")


@pytest.mark.parametrize(
    ("form", "author", "shown"),
    [
        (NAME, b"Betsy <betsy@x.example>", "Betsy via example.com"),
        (NAME, b"betsy@x.example", "betsy at x.example via example.com"),
        (ADDRESS, b"Betsy <betsy@x.example>", "betsy at x.example via example.com"),
    ],
)
def test_the_form_of_from_is_a_setting(form: str, author: bytes, shown: str) -> None:
    assert display(rewritten(b"From: " + author + b"\r\n\r\n", style=Style(from_form=form))) == shown


def test_the_stamp() -> None:
    raw = rewritten(b"From: a@x.example\r\n\r\n")
    assert is_stamped(Message.split(raw), TEST_KEY, ALIAS)
    assert not is_stamped(Message.split(raw), TEST_KEY, Address("other", "example.com"))
    assert not is_stamped(Message.split(raw), b"another stack's key", ALIAS)
    assert rewritten(raw).count(b"X-Postern-Loop:") == 1
    counterfeit = b"X-Postern-Loop: v1 00000000000000000000000000000000\r\n"
    after = rewritten(counterfeit + b"From: a@x.example\r\n\r\n")
    assert after == counterfeit + raw


@pytest.mark.parametrize(
    ("subject", "tag", "expected"),
    [
        (b"Subject: hello\r\n", "[x]", b"Subject: [x]\r\n hello\r\n"),
        (b"subject :\r\n hello\r\n there\r\n", "[x]", b"subject : [x]\r\n hello\r\n there\r\n"),
        (b"Subject: Re: [x] hello\r\n", "[x]", b"Subject: Re: [x] hello\r\n"),
        (b"Subject: =?utf-8?q?Re=3A_=5Bx=5D?=\r\n", "[x]", b"Subject: =?utf-8?q?Re=3A_=5Bx=5D?=\r\n"),
        (b"Subject: \xe9\r\n", "[x]", b"Subject: [x]\r\n \xe9\r\n"),
        (b"Subject: hi\r\n", "[\N{LATIN SMALL LETTER E WITH ACUTE}]", b"Subject: =?utf-8?b?W8OpXSA=?=\r\n hi\r\n"),
        (b"", "[x]", b""),
        (b"Subject:\r\n", "[x]", b"Subject: [x]\r\n"),
        (b"Subject: hello\r\n", "", b"Subject: hello\r\n"),
    ],
)
def test_the_subject_tag(subject: bytes, tag: str, expected: bytes) -> None:
    after = Message.split(rewritten(b"From: a@x.example\r\n" + subject + b"\r\n", style=Style(subject_tag=tag)))
    assert b"".join(one.raw for one in after.named("subject")) == expected


def crowd(to: int, cc: int) -> bytes:
    lists = [", ".join(f'"a, {n}" <a{n}@y.example>' for n in range(count)) for count in (to - 1, cc)]
    return f"From: a@x.example\r\nTo: info@example.com, {lists[0]}\r\nCC: team: {lists[1]};\r\n\r\n".encode()


def test_a_crowd_of_recipients_is_renamed_and_to_becomes_the_alias() -> None:
    few = rewritten(crowd(MAX_HEADER_RECIPIENTS - 20, 20))
    assert b"X-Postern-Original-To" not in few
    raw = crowd(MAX_HEADER_RECIPIENTS - 20, 21)
    many = Message.split(rewritten(raw))
    assert [one.raw for one in many.named("to")] == [b"To: <info@example.com>\r\n"]
    assert not many.named("cc")
    assert b"X-Postern-Original-" + Message.split(raw).fields[1].raw == many.named("x-postern-original-to")[0].raw
    assert b"X-Postern-Original-" + Message.split(raw).fields[2].raw == many.named("x-postern-original-cc")[0].raw
    assert rewritten(raw, style=Style(count_header_recipients=False)).count(b"X-Postern-Original-To") == 0


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", b'From: "betsy at x.example via example.com" <info@example.com>\r\nReply-To: betsy@x.example\r\n'),
        (b"\r\nbody", b'From: "betsy at x.example via example.com" <info@example.com>\r\nReply-To: betsy@x.example\r\n\r\nbody'),
        (b"To: x", b'To: x\r\nFrom: "betsy at x.example via example.com" <info@example.com>\r\nReply-To: betsy@x.example\r\n'),
        (b"From: a@x.example\n\nbody", b'From: "a at x.example via example.com" <info@example.com>\nReply-To: a@x.example\n\nbody'),
        (b"From : a@x.example\r\n\r\n", b'From: "a at x.example via example.com" <info@example.com>\r\nReply-To: a@x.example\r\n\r\n'),
        (b"From: a@x.example\r\nFrom: b@x.example\r\n\r\n",
         b'From: "a at x.example via example.com" <info@example.com>\r\nReply-To: a@x.example, b@x.example\r\n\r\n'),
    ],
)  # fmt: skip
def test_odd_shapes(raw: bytes, expected: bytes) -> None:
    assert unstamped(rewritten(raw)) == expected


@given(st.text(max_size=80))
def test_what_is_written_passes_the_ses_double(name: str) -> None:
    raw = (
        b"From: "
        + name.encode("utf-8", "replace").replace(b"\n", b"").replace(b"\r", b"")
        + b" <betsy@x.example>\r\n\r\nx"
    )
    account = Account(identities={"example.com"}, configuration_sets=set())
    check(Request("info@example.com", ("jane@dest.example",), rewritten(raw), ""), account)


FIELDS = st.sampled_from(
    [
        *(f"{name}: {value}\r\n".encode() for name in ("From", "To", "Cc", "Sender", "Reply-To", "Return-Path") for value in ("a@x.example", "A <b@y.example>, c@z.example", "<@>", "nobody", "", "a@", "@x.example", "A <a@x.example> <b@x.example>", "j\xe9@x.example", "a@x_\xe9.example", '"a" b" <c@x.example>', "team: a@x.example, <@>;", "a@x.example, <@>")),
        *(f"{name}: x\r\n y\r\n".encode() for name in ("Subject", "DKIM-Signature", "Delivered-To", "Received", "X-SES-CONFIGURATION-SET", "Bcc", "Feedback-ID")),
        *(f"{name}: {value}\r\n".encode() for name in ("MIME-Version", "Content-Type", "Date", "Message-ID", "References") for value in ("1.0", "<1@x.example>", "text/plain; charset=utf-8")),
        *(f"{name}: {value}\r\n".encode() for name in ("Content-Type", "Content-Disposition") for value in ("x; charset", "text/plain; charset=cp-850", "attachment; filename=a.exe", "multipart/mixed; boundary=b")),
        *(f"{name}: <{'1' * length}@x>\r\n".encode() for name in ("Message-ID", "In-Reply-To", "References") for length in (900, 1000)),
        b": no name\r\n", b"no colon\r\n", b"X-Long: " + b"x" * 1000 + b"\r\n", b"To: " + b"a@x.example, " * 60 + b"b@x.example\r\n", b"Subject: a\rTo: <@>\r\n",
    ]
)  # fmt: skip
BODIES = st.sampled_from(
    [
        b"",
        b"body",
        b"--b\r\nContent-Type: x; y\r\n\r\n--b\r\nContent-Disposition: attachment; filename=a.exe\r\n\r\n--b--\r\n",
        b"y" * 1000,
    ]
)


@given(st.lists(FIELDS, max_size=25), BODIES)
def test_what_ses_refuses_of_a_result_the_input_itself_carried(fields: list[bytes], body: bytes) -> None:
    raw = b"".join(fields) + b"\r\n" + body
    assert not brought_in(raw, rewritten(raw))


@given(st.lists(FIELDS, max_size=25))
def test_what_we_write_ses_takes_whatever_the_input_carried(fields: list[bytes]) -> None:
    """Only a line that was too long before may be so still, under another name."""
    raw = b"".join(fields) + b"\r\n"
    assert not brought_in(raw, ours(raw, rewritten(raw)), frozenset({"line-length"}))


def test_an_order_to_ses_behind_a_lone_cr_is_found() -> None:
    raw = rewritten(b"From: a@x.example\r\nSubject: x\rX-SES-CONFIGURATION-SET: nope\r\nTo: y@z.example\r\n\r\nbody")
    assert b"X-SES" not in raw
    assert raw.endswith(b"Subject: x\r\nTo: y@z.example\r\n\r\nbody")


def test_a_body_after_an_odd_blank_line_is_body() -> None:
    body = b"\r\r\nBody\r\nSender: in the body\r\nFrom: quoted\r\nX-SES-FOO: x\r\nend"
    assert rewritten(b"From: a@x.example\r\r\nSubject: x\r\r\n" + body).endswith(b"Subject: x\r\r\n" + body)


def test_no_encoded_word_hides_within_a_name() -> None:
    """A client would decode it within the quotes, and show what was filtered out."""
    inner = b"=?utf-8?b?4oCuPGNlb0BiYW5rLmV4YW1wbGU+?="
    outer = b"=?utf-8?b?" + base64.b64encode(inner) + b"?="
    raw = rewritten(b"From: " + outer + b" <evil@x.example>\r\n\r\n")
    assert inner not in raw
    assert display(raw) == f"{inner.decode()} (evil at x.example) via example.com"


def test_what_a_stranger_says_in_our_name_goes() -> None:
    forged = b"X-Postern-Authentication-Results: amazonses.com; dmarc=pass\r\nX-Postern-Original-Message-ID: <9@x>\r\n"
    raw = rewritten(forged + b"From: a@x.example\r\nMessage-ID: <1@x>\r\n\r\n")
    assert b"dmarc=pass" not in raw
    assert raw.count(b"X-Postern-Original-Message-ID: <1@x>") == raw.count(b"X-Postern-Original-Message-ID") == 1


def test_a_renamed_field_grows_no_line_too_long() -> None:
    to = ", ".join(f"a{number}@{'y' * 8}.example" for number in range(60))[:985]
    raw = rewritten(
        f"\rTo: {to}\r\nCc: {', '.join('b@y.example' for _ in range(60))}\r\nFrom: a@x.example\r\n\r\n".encode()
    )
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"X-Postern-Original-To:" in raw


def test_a_quoted_name_is_not_folded_within() -> None:
    """Python's getaddresses takes a folded name for an address."""
    author = b"c" * 50 + b"@x.example"
    message = message_from_bytes(rewritten(b"From: " + author + b"\r\n\r\n"))
    assert [address for _, address in getaddresses([message["From"]])] == ["info@example.com"]


def test_a_quoted_local_part_full_of_blanks_folds_into_no_blank_line() -> None:
    raw = rewritten(b'From: "a' + b" " * 60 + b'b"@x.example\r\n\r\nbody')
    assert all(line.strip() for line in raw.partition(b"\r\n\r\n")[0].splitlines())


def test_a_large_body_is_held_once_more_and_no_oftener() -> None:
    raw = b"From: a@x.example\r\n\r\n" + bytes(20_000_000)
    tracemalloc.start()
    rewritten(raw)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1.05 * len(raw)


def test_a_header_of_ten_thousand_lines() -> None:
    raw = b"From: a@x.example\r\n" + b"X-Line: y\r\n" * 10_000 + b"\r\nbody"
    assert rewritten(raw).count(b"X-Line") == 10_000


@pytest.mark.parametrize(
    ("author", "shown", "answered"),
    [
        ("Betsy <betsy @ sender.example>", "Betsy (betsy at sender.example)", '"Betsy" <betsy@sender.example>'),
        ("Betsy <betsy@\r\n sender.example>", "Betsy (betsy at sender.example)", '"Betsy" <betsy@sender.example>'),
        ("Betsy <betsy@sender.example (home)>", "Betsy (betsy at sender.example)", '"Betsy" <betsy@sender.example>'),
        ("Betsy <mailto:betsy@sender.example>", "Betsy (betsy at sender.example)", '"Betsy" <betsy@sender.example>'),
        ("Betsy <betsy@sender.example.>", "Betsy (betsy at sender.example)", '"Betsy" <betsy@sender.example>'),
        ("Jos\u00e9 <jos\u00e9@sender.example>", "Jos\u00e9 (jos\u00e9 at sender.example)", ""),
        (
            "Jos\u00e9 <jos\u00e9@sender.example>, joe@sender.example",
            "Jos\u00e9 (jos\u00e9 at sender.example)",
            "joe@sender.example",
        ),
        ("a@sender.example, A <A@sender.example>", "A (A at sender.example)", '"A" <A@sender.example>'),
        ("Mail Delivery System <MAILER-DAEMON>", "Mail Delivery System", ""),
        ("MAILER-DAEMON (Mail Delivery Subsystem)", "MAILER-DAEMON (Mail Delivery Subsystem)", ""),
        ('"I am Groot" <>', "I am Groot", ""),
        ('"I am Groot" <groot>', "I am Groot", ""),
        ("Groot", "Groot", ""),
    ],
)
def test_an_answer_reaches_the_author_or_no_one(author: str, shown: str, answered: str) -> None:
    """MAIL FROM is a mass mailer's bounce address."""
    raw = rewritten(f"From: {author}\r\nSubject: s\r\n\r\nbody".encode(), source="bounce-4711@esp.example")
    assert display(raw) == f"{shown} via example.com"
    assert message_from_bytes(raw).get("Reply-To", "") == answered


def test_only_where_there_is_no_from_the_envelopes_sender_is_answered() -> None:
    for header in ("From:\r\n", "From: \r\n", "From: undisclosed:;\r\n"):
        assert b"Reply-To" not in rewritten(f"{header}Subject: s\r\n\r\n".encode(), source="b@esp.example")
    assert b"Reply-To: b@esp.example" in rewritten(b"Subject: s\r\n\r\n", source="b@esp.example")
