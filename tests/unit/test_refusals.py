"""The double of SES sending refuses what SES refuses, in SES's words."""

import pytest

from emulator.sending.refusals import MAX_SIZE, ONCE_ONLY, Account, Refusal, Request, check

ACCOUNT = Account(identities={"example.com", "only@this.example"}, configuration_sets={"forward"})
JANE = ("jane@dest.example",)


def refusal(
    header: bytes,
    sender: str = "info@example.com",
    to: tuple[str, ...] = JANE,
    sets: str = "forward",
    body: bytes = b"x",
) -> Refusal | None:
    try:
        check(Request(sender, to, header + b"\r\n" + body, sets), ACCOUNT)
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


def test_forty_megabytes() -> None:
    header = b"From: info@example.com\r\n"
    assert refusal(header, body=bytes(MAX_SIZE - len(header) - 2)) is None
    refused = refusal(header, body=bytes(MAX_SIZE - len(header) - 1))
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
