"""A coverage-guided fuzz target (atheris): no bytes may break the rewriter.

    make fuzz SECONDS=60

What it finds lands in .local/; a finding worth keeping goes into tests/fuzz/corpus, which
tests/fuzz/test_corpus.py runs without the fuzzer.
"""

import sys

from postern.mail.address import Address
from postern.mail.envelope import Envelope
from postern.mail.message import Message
from postern.mail.repair import repaired
from postern.mail.rewrite import Style, rewrite
from postern.mail.verdicts import Verdicts

from emulator.sending.refusals import Account, Request, check

ALIAS = Address("info", "example.com")
ENVELOPE = Envelope("fuzz", "betsy@x.example", Address("betsy", "x.example"), (ALIAS,), Verdicts())
ACCOUNT = Account(identities={"example.com"}, configuration_sets=set(), off=("line-length",))


def one_input(raw: bytes) -> None:
    """Raises AssertionError or Refusal if these bytes break a promise."""
    after = Message.split(rewrite(raw, ALIAS, ENVELOPE, Style(subject_tag="[x]")))
    assert bytes(after.rest) == bytes(Message.split(raw).rest), "the body changed"
    assert len(after.named("from")) == 1, "not one From"
    assert not any(field.name.startswith("x-ses-") for field in after.fields), "an order to SES went through"
    header = raw[: len(raw) - len(Message.split(raw).rest)]  # bodies may hold parts that SES refuses
    check(Request(str(ALIAS), ("jane@dest.example",), repaired(header, ALIAS, ENVELOPE, Style()), ""), ACCOUNT)


if __name__ == "__main__":
    import atheris  # in no other environment than make fuzz's

    atheris.instrument_all()
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
