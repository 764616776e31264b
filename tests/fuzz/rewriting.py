"""A coverage-guided fuzz target (atheris): no bytes may break the rewriter.

    make fuzz SECONDS=60

What it finds lands in .local/; a finding worth keeping goes into tests/fuzz/corpus, which
tests/fuzz/test_corpus.py runs without the fuzzer.
"""

import sys

from postern.mail.address import Address
from postern.mail.envelope import Envelope
from postern.mail.message import Message
from postern.mail.notice import notice
from postern.mail.repair import repaired
from postern.mail.rewrite import Style, rewrite
from postern.mail.verdicts import Verdicts

from emulator.sending.refusals import Account, Request, check

ALIAS = Address("info", "example.com")
ENVELOPE = Envelope("fuzz", "betsy@x.example", Address("betsy", "x.example"), (ALIAS,), Verdicts())
EDITED = {"from", "reply-to", "references", "subject", "to", "x-postern-loop"} | {
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
ACCOUNT = Account(identities={"example.com"}, configuration_sets=set(), off=("line-length",))


def one_input(raw: bytes) -> None:
    """Raises AssertionError or Refusal if these bytes break a promise."""
    before, after = Message.split(raw), Message.split(rewrite(raw, ALIAS, ENVELOPE, Style(subject_tag="[x]")))
    assert bytes(after.rest) == bytes(before.rest), "the body changed"
    assert len(after.named("from")) == 1, "not one From"
    assert not any(field.name.startswith("x-ses-") for field in after.fields), "an order to SES went through"
    lines = [field.raw.rstrip(b"\r\n") for field in before.fields]
    kept = [field.raw.rstrip(b"\r\n") for field in after.fields if field.name not in EDITED]
    assert all(line in lines for line in kept), "a field that is not ours was changed"
    assert not {field.name for field in after.fields} - {field.name for field in before.fields} - EDITED, (
        "a field was made up"
    )
    header = raw[: len(raw) - len(before.rest)]  # bodies may hold parts that SES refuses
    for form in (
        repaired(header, ALIAS, ENVELOPE, Style()),
        notice(raw, ALIAS, ENVELOPE, Style(), reason=header.decode("latin-1"), link=None),
    ):
        check(Request(str(ALIAS), ("jane@dest.example",), form, ""), ACCOUNT)


if __name__ == "__main__":
    import atheris  # in no other environment than make fuzz's

    atheris.instrument_all()
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
