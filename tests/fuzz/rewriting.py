"""A coverage-guided fuzz target (atheris): no bytes may break the rewriter.

    make fuzz SECONDS=60

What it finds lands in .local/; a finding worth keeping goes into tests/fuzz/corpus, which
tests/fuzz/test_corpus.py runs without the fuzzer.
"""

from email import message_from_bytes

from postern_mail.mail.address import Address
from postern_mail.mail.envelope import Envelope
from postern_mail.mail.message import Message
from postern_mail.mail.notice import attached, bare_notice, notice
from postern_mail.mail.repair import repaired
from postern_mail.mail.rewrite import Style, rewrite
from postern_mail.mail.verdicts import Verdicts

from tests.ses import brought_in, ours, refusals

ALIAS = Address("info", "example.com")
ENVELOPE = Envelope("fuzz", "betsy@x.example", Address("betsy", "x.example"), (ALIAS,), Verdicts())
EDITED = {"from", "cc", "reply-to", "references", "subject", "to", "x-postern-loop"} | {
    f"x-postern-{name}"
    for name in (
        "original-message-id",
        "original-date",
        "original-to",
        "original-cc",
        "received-spf",
        "authentication-results",
    )
}
STYLE = Style(subject_tag="[x]")


def one_input(raw: bytes) -> None:
    """Raises AssertionError if these bytes break a promise."""
    result = rewrite(raw, ALIAS, ENVELOPE, STYLE)
    untouched(raw, result)
    assert not brought_in(raw, result), "SES refuses what the input did not carry"
    assert not brought_in(raw, ours(raw, result), frozenset({"line-length"})), "SES refuses what we wrote"
    plainer_forms(raw)


def untouched(raw: bytes, result: bytes) -> None:
    """What is not ours to change stays as it is and in its order."""
    before, after = Message.split(raw), Message.split(result)
    assert bytes(after.body) == bytes(before.body), "the body changed"
    assert after.is_separated or not before.rest, "the body is not told from the header"
    assert len(after.named("from")) == 1, "not one From"
    assert not any(field.name.startswith("x-ses-") for field in after.fields), "an order to SES went through"
    lines = iter([field.raw.rstrip(b"\r\n") for field in before.fields])
    kept = [field.raw.rstrip(b"\r\n") for field in after.fields if field.name not in EDITED]
    assert all(line in lines for line in kept), "a field that is not ours was changed, or its place"
    assert not {field.name for field in after.fields} - {field.name for field in before.fields} - EDITED, (
        "a field was made up"
    )


def plainer_forms(raw: bytes) -> None:
    """SES takes every header that is rewritten, and refuses of the original within what it refused before."""
    message = Message.split(raw)
    header = raw[: len(raw) - len(message.rest)]  # bodies may hold parts that SES refuses
    assert not refusals(repaired(header, ALIAS, ENVELOPE, STYLE) or b"From: info@example.com\r\n\r\n"), (
        "SES refuses the repaired form"
    )
    reason = header.decode("latin-1")
    for form in (notice(raw, ALIAS, ENVELOPE, STYLE, reason), bare_notice(ALIAS, ENVELOPE, STYLE, reason)):
        assert not refusals(form), "SES refuses the notice"
    if result := repaired(raw, ALIAS, ENVELOPE, STYLE):
        assert result.endswith(b"\r\n\r\n" + bytes(message.body)), "the body changed"
    result = attached(raw, ALIAS, ENVELOPE, STYLE, reason)
    assert not refusals(result), "SES refuses the original as an attachment"
    assert [*message_from_bytes(result).walk()][2].get_payload(decode=True) == raw, "the original is not whole"
