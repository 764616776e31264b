"""The double of SES sending refuses what SES refuses, in SES's words."""

import pytest

from emulator.sending.addresses import addresses
from emulator.sending.delivery import delivered, private_key
from emulator.sending.mime import EXTENSIONS
from emulator.sending.refusals import Account, Refusal, Request
from emulator.sending.rules import MAX_SIZE, ONCE_ONLY, RULES, check

ACCOUNT = Account(identities={"example.com", "only@this.example"}, configuration_sets={"forward"})
JANE = ("jane@dest.example",)


def refusal(
    header: bytes,
    sender: str = "info@example.com",
    to: tuple[str, ...] = JANE,
    sets: str = "forward",
    body: bytes = b"x",
    account: Account = ACCOUNT,
) -> Refusal | None:
    try:
        check(Request(sender, to, header + b"\r\n" + body, sets), account)
    except Refusal as refused:
        return refused
    return None


def test_what_is_right_passes() -> None:
    assert (
        refusal(b"From: A <info@example.com>\r\nTo: x@y.example\r\nX-A: 1\r\nX-A: 2\r\nReceived: a\r\nReceived: b\r\n")
        is None
    )
    assert refusal(b"From: a@sub.example.com\r\n", sender="a@sub.example.com") is None
    assert refusal(b"From: only@this.example\r\n", sender="only@this.example") is None


@pytest.mark.parametrize("name", sorted(ONCE_ONLY - {"from", "sender", "return-path"}))
def test_once_only_headers(name: str) -> None:
    refused = refusal(f"From: info@example.com\r\n{name}: 1\r\n{name.title()}: 2\r\n".encode())
    assert refused is not None
    assert (refused.code, refused.status) == ("BadRequestException", 400)
    assert refused.message.lower() == f"duplicate header '{name}'."


@pytest.mark.parametrize(
    ("header", "sender", "named"),
    [
        (b"From: betsy@sender.example\r\n", "info@example.com", "betsy@sender.example"),
        (b"From: info@example.com\r\n", "info@other.example", "info@other.example"),
        (b"From: info@example.com\r\nSender: x@other.example\r\n", "info@example.com", "x@other.example"),
        (b"From: info@example.com\r\nReturn-Path: <x@other.example>\r\n", "info@example.com", "x@other.example"),
        (b"From: info@notexample.com\r\n", "info@example.com", "info@notexample.com"),
        (b"From: other@this.example\r\n", "info@example.com", "other@this.example"),
    ],
)
def test_identities_that_are_not_verified(header: bytes, sender: str, named: str) -> None:
    refused = refusal(header, sender)
    assert refused is not None
    assert (refused.code, refused.status) == ("MessageRejected", 400)
    assert "Email address is not verified." in refused.message
    assert refused.message.endswith(f": {named}")


def test_a_message_without_from() -> None:
    refused = refusal(b"To: x@y.example\r\n")
    assert refused is not None
    assert refused.code == "BadRequestException"


@pytest.mark.parametrize(("others", "passes"), [(49, True), (50, False)])
def test_fifty_recipients_with_those_of_the_header(others: int, passes: bool) -> None:
    to = ", ".join(f"a{number}@y.example" for number in range(others))
    refused = refusal(f"From: info@example.com\r\nTo: {to}\r\n".encode())
    assert (refused is None) is passes


def test_no_recipient() -> None:
    assert refusal(b"From: info@example.com\r\n", to=()) is not None


def lines(size: int) -> bytes:
    return (b"x" * 78 + b"\r\n") * (size // 80) + b"x" * (size % 80)


def test_forty_megabytes() -> None:
    header = b"From: info@example.com\r\n"
    assert refusal(header, body=lines(MAX_SIZE - len(header) - 2)) is None
    refused = refusal(header, body=lines(MAX_SIZE - len(header) - 1))
    assert refused is not None
    assert refused.message.startswith(f"Message length is more than {MAX_SIZE} bytes long")


def test_a_configuration_set_that_is_not_there() -> None:
    refused = refusal(b"From: info@example.com\r\n", sets="other")
    assert refused is not None
    assert (refused.code, refused.status) == ("NotFoundException", 404)


@pytest.mark.parametrize(
    ("local", "code", "status"),
    [
        ("temperror", "InternalServiceErrorException", 500),
        ("permerror", "MessageRejected", 400),
        ("Throttle", "TooManyRequestsException", 429),
    ],
)
def test_failure_on_demand(local: str, code: str, status: int) -> None:
    refused = refusal(b"From: info@example.com\r\n", to=(f"{local}@anywhere.example",))
    assert refused is not None
    assert (refused.code, refused.status) == (code, status)


FROM = b"From: info@example.com\r\n"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"Reply-To: nobody\r\n", "Missing final '@domain'"),
        (b"To: x@\r\n", "Missing final '@domain'"),
        (b"Cc: <@y.example>\r\n", "Missing local name"),
        (b"To: A <a@y.example> <b@y.example>\r\n", "Extra route-addr"),
        ("To: j\N{LATIN SMALL LETTER E WITH ACUTE}@y.example\r\n".encode(), "Local address contains illegal character"),
        (b"To: a@y_.exam!ple\r\n", "Domain contains illegal character"),
        (b": empty\r\n", "Empty header names are illegal."),
        (b"X-A: b\r\n" * 200_000, "Header section too long"),
        (b"X-Long: " + b"x" * 999 + b"\r\n", "Line length exceeds 998 characters."),
        (b"Content-Type: text/plain; charset\r\n", "Expected '=', got 'null'"),
        (b"Content-Type: text/plain; charset=cp-850\r\n", "Unsupported encoding cp-850"),
    ],
)
def test_syntax_that_ses_stumbles_over(header: bytes, said: str) -> None:
    refused = refusal(FROM + header)
    assert refused is not None
    assert (refused.code, refused.status, refused.message) == ("BadRequestException", 400, said)


@pytest.mark.parametrize(
    "header",
    [
        b'To: "a <b> c" <a@y.example>, undisclosed:;\r\n',
        b"X-Line: " + b"x" * 990 + b"\r\n",
        b'Content-Type: multipart/mixed; boundary="a;b=c"; x=y (comment)\r\n',
        b'Content-Type: text/plain; charset="UTF-8";\r\n',
        b"Content-Type: text/plain\r\n",
    ],
)
def test_syntax_that_passes(header: bytes) -> None:
    assert refusal(FROM + header) is None


@pytest.mark.parametrize("extension", sorted(EXTENSIONS))
def test_attachments_that_are_not_sent(extension: str) -> None:
    part = f'Content-Disposition: attachment; filename="a.b.{extension.upper()}"\r\n\r\nx\r\n'
    refused = refusal(FROM + b"Content-Type: multipart/mixed; boundary=b\r\n", body=f"--b\r\n{part}--b--\r\n".encode())
    assert refused is not None
    assert (refused.code, refused.message) == ("MessageRejected", f"Unsupported attachment type '.{extension}'.")


def test_nothing_hides_behind_a_line_that_is_no_field() -> None:
    assert refusal(FROM + b"no colon\r\nX-SES-CONFIGURATION-SET: nope\r\n") is not None
    assert refusal(FROM + b"no colon\r\nSubject: a\r\nSubject: b\r\n") is not None
    assert refusal(b"From: info@example.com\n: empty\n") is not None


def test_a_body_after_bare_line_feeds_is_body() -> None:
    raw = b"From: info@example.com\nDate: mine\n\nDate: in the body\nBcc: too\n"
    assert delivered(raw, "x", "example.com").endswith(b"From: info@example.com\n\nDate: in the body\nBcc: too\n")


def test_a_configuration_set_named_by_a_header() -> None:
    refused = refusal(FROM + b"X-SES-CONFIGURATION-SET: other\r\n")
    assert refused is not None
    assert refused.code == "NotFoundException"


@pytest.mark.parametrize("state", ["AccountSuspendedException", "SendingPausedException"])
def test_an_account_that_may_not_send(state: str) -> None:
    refused = refusal(FROM, account=Account({"example.com"}, {"forward"}, state=state))
    assert refused is not None
    assert refused.code == state


def test_a_rate_that_is_exceeded() -> None:
    refused = refusal(FROM, account=Account({"example.com"}, {"forward"}, throttled=True))
    assert refused is not None
    assert (refused.code, refused.status) == ("TooManyRequestsException", 429)


def test_every_rule_says_where_it_is_from_and_can_be_switched_off() -> None:
    assert all(rule.grade in ("M", "D", "P", "U", "ours") and rule.source for rule in RULES)
    crowd = FROM + b"To: " + b", ".join(b"a%d@y.example" % number for number in range(60)) + b"\r\n"
    assert refusal(crowd) is not None
    assert refusal(crowd, account=Account({"example.com"}, {"forward"}, off=("header-recipients",))) is None


def test_what_ses_changes_and_what_it_leaves() -> None:
    raw = (
        b"X-Odd : kept\r\n folded\r\nFrom: info@example.com\r\nMessage-ID:\r\n <mine@x>\r\nDate: mine\r\n"
        b"Bcc: secret@y.example\r\nX-SES-MESSAGE-TAGS: a=b\r\nSubject: s\r\n\r\nbody \xe9\r\n"
    )
    sent = delivered(raw, "0102-000000", "example.com")
    signature, _, rest = sent.partition(b"Message-ID: <0102-000000@eu-west-1.amazonses.com>\r\n")
    assert signature.startswith(b"DKIM-Signature:")
    date, _, kept = rest.partition(b"\r\n")
    assert date.startswith(b"Date: ")
    assert kept == b"X-Odd : kept\r\n folded\r\nFrom: info@example.com\r\nSubject: s\r\n\r\nbody \xe9\r\n"
    assert private_key() == private_key()


def test_each_field_is_read_by_itself() -> None:
    """A quote that From leaves open is no quote of To."""
    assert list(addresses(['"a" b" <c@x.example>', '"d" e" <f@x.example>'])) == list(
        addresses(['"a" b" <c@x.example>'])
    ) + list(addresses(['"d" e" <f@x.example>']))
