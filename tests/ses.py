"""What SES, by its double, says of a message: every rule is asked, not the first alone."""

from postern_mail.mail.message import Message

from emulator.sending.refusals import Account, Request
from emulator.sending.rules import RULES

ACCOUNT = Account(identities={"example.com"}, configuration_sets=set())

# What a message can carry in itself, so that SES refuses it still, rewritten. All other rules are about
# what the rewriter answers for: once-only fields, identities, configuration set, recipients.
CARRIED = frozenset(
    {"size", "line-length", "header-size", "empty-name", "address-syntax", "address-dots", "mime-parameters", "charset"}
    | {"attachments"}
)
# Of those, the ones that are about the body, or may be.
OF_THE_BODY = frozenset({"size", "line-length", "mime-parameters", "charset", "attachments"})


def refusals(raw: bytes) -> dict[str, str]:
    """SES's words by the rule that is broken; {} if it takes the message."""
    request = Request("info@example.com", ("jane@dest.example",), raw, "")
    found = {rule.name: rule.check(request, ACCOUNT) for rule in RULES}
    return {name: refusal.message for name, refusal in found.items() if refusal is not None}


def brought_in(before: bytes, after: bytes, carried: frozenset[str] = CARRIED) -> dict[str, str]:
    """What SES refuses of a message that the one before did not carry."""
    found = refusals(after)
    excused = carried & refusals(before).keys() if found else frozenset()
    if "address-syntax" in excused:
        excused |= {"header-recipients"}  # a field that SES cannot read it does not count
    return {name: said for name, said in found.items() if name not in excused}


def ours(before: bytes, after: bytes) -> bytes:
    """The fields of a message that the one before did not have so, as a message of their own; without Cc, which is
    the sender's with the alias before it."""
    had = {field.raw.rstrip(b"\r\n") for field in Message.split(before).fields}
    written = (field.raw.rstrip(b"\r\n") for field in Message.split(after).fields if field.name != "cc")
    return b"".join(raw + b"\r\n" for raw in written if raw not in had) + b"\r\n"
