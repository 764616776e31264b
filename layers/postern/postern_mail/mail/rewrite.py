"""Rewriting: header fields that SES refuses, or that would be untrue, edited in place.

SES sends only in the name of an identity it has verified, so From becomes the alias and the author moves into its
display name and into Reply-To. Every field not named here, and the whole body, goes out byte for byte.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from . import fields, stamp
from .address import Address
from .address_writer import is_taken, written
from .authors import Author, answerable, authors, count_mailboxes, decode_phrase, each_once, unaddressed
from .display_names import holds_address, neutral, plain
from .envelope import Envelope
from .fields import LINE_LIMIT
from .message import Field, Halves, Message
from .records import dataclass, field
from .ses_block import SesBlock, passes_for_ses
from .thread import is_identifier

# The forms of From (docs/tables.md has examples of each).
NAME_AND_ADDRESS, NAME, ADDRESS = FROM_FORMS = ("name-and-address", "name", "address")

# Fields that a forwarded message must not have. SES requires verified identities in Return-Path and Sender and writes
# its own DKIM-Signature and Feedback-ID; an ARC set, too, signs what changes here (RFC 8617 5.2). X-Forwarded-* are for
# us to write. Bcc would show what was hidden. The others request answers or deliveries that an alias must not give;
# one-click unsubscription would be the mailbox provider's click in the owner's name (RFC 8058).
REMOVED = frozenset({
    "arc-authentication-results", "arc-message-signature", "arc-seal", "bcc", "delivered-to",
    "disposition-notification-to", "dkim-signature", "domainkey-signature", "errors-to", "feedback-id",
    "list-unsubscribe-post", "resent-bcc", "return-path", "return-receipt-to", "sender",
    "x-forwarded-for", "x-forwarded-to",
})  # fmt: skip
# X-SES-CONFIGURATION-SET and similar fields are orders to SES: a stranger's would make forwards fail.
REMOVED_PREFIX = "x-ses-"

# docs.aws.amazon.com/ses, "Header fields": SES refuses a message with two of any of these.
_ONCE_ONLY = """
    accept-language acceptlanguage archived-at auto-submitted bounces-to comments content-alternative
    content-base content-class content-description content-disposition content-duration content-id
    content-language content-length content-location content-md5 content-transfer-encoding content-type
    date delivered-to disposition-notification-options disposition-notification-to dkim-signature
    domainkey-signature errors-to from importance in-reply-to keywords list-archive list-help list-id
    list-owner list-post list-subscribe list-unsubscribe list-unsubscribe-post message-context message-id
    mime-version organization original-from original-message-id original-recipient original-subject precedence
    priority references reply-to return-path return-receipt-to sender solicitation sensitivity subject
    thread-index thread-topic user-agent vbr-info
"""
ONCE_ONLY = frozenset(_ONCE_ONLY.split())

MAX_HEADER_RECIPIENTS = 49  # SES: 50 with the destination; whether the header counts is unknown
# Octets of text that is only displayed, so that our own fields stay under 2 kB whatever the sender wrote. Authors to
# reply to and a Message-ID are copied whole (docs/decisions.md).
MAX_LISTED = 64 * 1024  # octets of To and Cc that are read: a megabyte of them took half a minute
MAX_NAME = 96  # an author's name
MAX_ADDRESS = 96  # an author's address
MAX_DOMAIN = 64  # our domain

_PLAIN = re.compile(rb"[\t\r\n -~]*")
_OURS_PREFIX = "x-postern-"
_ORIGINAL = "X-Postern-Original-"
_OF_THREADS = ("in-reply-to", "references")


@dataclass(frozen=True, slots=True)
class Style:
    """The style of forwarded mail.

    `from_form` is one of FROM_FORMS; `subject_tag` goes before the subject, `tags` before that; `stamp_key` signs the
    loop stamp; `count_header_recipients` is the switch for SES's limit of 50; `prepended` are the lines that sender
    rules add; `stack` is its name, for the command in a notice; `destination` is the address in X-Forwarded-To, which
    is omitted if there is none. `answer_to` replaces the correspondents in Reply-To, and `own_ids` has the Message-IDs
    of replies by SES's ids for them (mail.replying).
    """

    from_form: str = NAME_AND_ADDRESS
    subject_tag: str = ""
    tags: tuple[str, ...] = ()
    stamp_key: bytes = stamp.TEST_KEY
    count_header_recipients: bool = True
    prepended: tuple[str, ...] = ()
    stack: str = "postern"
    destination: Address | None = None
    answer_to: tuple[Author, ...] = ()
    own_ids: Mapping[str, str] = field(default_factory=dict)


def rewrite(raw: bytes, alias: Address, envelope: Envelope, style: Style = Style()) -> bytes:  # noqa: B008 (frozen)
    """The message as returned by `rewritten`, in one piece."""
    return bytes(rewritten(Message.split(raw), alias, envelope, style))


def rewritten(message: Message, alias: Address, envelope: Envelope, style: Style) -> Halves:
    """The message as it is forwarded in the name of `alias`.

    Raises nothing: any bytes become a message with exactly one From. If the header names no author, the envelope's
    sender is used.
    """
    return message.halves(_Editor(message, alias, envelope, style).edited())


@dataclass(slots=True)
class _Editor:
    message: Message
    alias: Address
    envelope: Envelope
    style: Style
    seen: set[str] = field(default_factory=set)

    def edited(self) -> Iterator[Field]:
        """The fields to send: ours in place of From, or at the end of the header if there was no From."""
        block = SesBlock.of(self.message, self.envelope.message_id)
        renamed = {id(one) for one in (block.findings if block else ())}
        crowded, reply_to, unnamed = self._is_crowded(), self._usable_reply_to(), not self._names_alias()
        for one in self.message.fields:
            name = one.name
            if name in REMOVED or name.startswith(REMOVED_PREFIX):
                continue
            if name.startswith(_OURS_PREFIX) and name != stamp.NAME.lower():
                continue  # a stranger's would look like ours; a forged stamp is not a stamp
            if name == "from":
                yield from self._ours(reply_to, crowded)
            elif name == "cc" and unnamed and not crowded and "cc" not in self.seen:
                yield self._with_alias(one)
            elif name == "reply-to":
                if one is reply_to:
                    yield one
            elif name in ONCE_ONLY and name in self.seen:
                continue  # the first is kept
            elif id(one) in renamed:
                yield _renamed(one, "X-Postern-", self.message.newline)
            elif passes_for_ses(one):
                continue  # a stranger's, and mailboxes after us trust SES
            elif crowded and name in ("to", "cc"):
                yield _renamed(one, _ORIGINAL, self.message.newline)
            else:
                yield self._kept(one)
            self.seen.add(name)
        yield from self._ours(reply_to, crowded)

    def _names_alias(self) -> bool:
        """Whether To or Cc names the alias; lists too long to read count as not naming it."""
        listed = () if self._is_overlong() else self._listed()
        return any(one.address.key == self.alias.key for field in listed for one in authors(field.value))

    def _listed(self) -> tuple[Field, ...]:
        return (*self.message.named("to"), *self.message.named("cc"))

    def _is_overlong(self) -> bool:
        return sum(len(one.raw) for one in self._listed()) > MAX_LISTED

    def _with_alias(self, cc: Field) -> Field:
        """Cc with the alias before the others. From is an identity of those who write in its name, and mail programs
        treat a message from oneself to others as one's own: Reply would go to those others (docs/decisions.md)."""
        name, _, rest = cc.raw.partition(b":")
        text, newline, own = rest.lstrip(b" \t\r\n"), self.message.newline, f"<{written(self.alias)}>".encode("ascii")
        return Field.read(name.rstrip(b" \t") + b": " + own + (b"," + newline + b" " + text if text else newline))

    def _kept(self, one: Field) -> Field:
        if one.name in _OF_THREADS:
            joined = self._joined(one)
            return self._with_message_id(joined) if one.name == "references" else joined
        if one.name == "subject" and (self.style.subject_tag or self.style.tags):
            return self._tagged(one)
        return one

    def _ours(self, reply_to: Field | None, crowded: bool) -> Iterator[Field]:
        """The fields we write, on the first call."""
        if "from" in self.seen:
            return
        self.seen.add("from")
        newline, people = self.message.newline, self._authors()
        said = _said(people, self.style.from_form, self.alias.domain) or self._said_without_address()
        yield _from_field(said, self.alias, newline)
        if reply_to is None:
            yield from _reply_to_fields(self.style.answer_to or repliable(self.message) or people, newline)
        yield from prepended(self.style, newline)
        if crowded:
            yield fields.field("To", [f"<{written(self.alias)}>"], newline)
        elif not self.message.named("cc") and not self._names_alias():
            yield fields.field("Cc", [f"<{written(self.alias)}>"], newline)
        if self.style.destination is not None:
            yield from forwarded_fields(self.alias, self.style.destination, newline)
        if not self.message.named("references"):
            yield from map(self._joined, self._new_references())
        for name in ("Message-ID", "Date"):  # SES writes its own
            yield from fields.copied(f"{_ORIGINAL}{name}", self._first(name.lower()), newline)
        if not stamp.is_stamped(self.message, self.style.stamp_key, self.alias):
            yield fields.field(stamp.NAME, [stamp.stamp(self.style.stamp_key, self.alias)], newline)

    def _authors(self) -> tuple[Author, ...]:
        """All authors that the header names. The envelope's sender only if there is no From at all: it may be the
        bounce address of a mass mailer, which no one reads."""
        named = self.message.named("from")
        if named or self.envelope.sender is None:
            return each_once(author for one in named for author in authors(one.value))
        return (Author("", self.envelope.sender),)

    def _said_without_address(self) -> str:
        """What to show if From has no address: its text, else the envelope's sender."""
        name = next(filter(None, (unaddressed(one.value) for one in self.message.named("from"))), "")
        said = neutral(name or str(self.envelope.sender or ""), self.alias.domain)
        return fields.shortened(said, MAX_NAME) or "unknown sender"

    def _usable_reply_to(self) -> Field | None:
        """The Reply-To that names whom to answer, if SES accepts it unchanged."""
        first = None if self.style.answer_to else _reply_to(self.message)
        return first if first is not None and _is_taken(first) else None

    def _is_crowded(self) -> bool:
        """Whether To and Cc together hold more recipients than SES may accept, or more octets than are read."""
        if not self.style.count_header_recipients or self._is_overlong():
            return self.style.count_header_recipients
        count = sum(count_mailboxes(one.value) for one in self._listed())
        return count + (not self._names_alias()) > MAX_HEADER_RECIPIENTS

    def _first(self, name: str) -> bytes:
        """The value of the first field of this name, b"" if there is none."""
        return next((one.value for one in self.message.named(name)), b"")

    def _message_id(self) -> bytes:
        """The original Message-ID, b"" if there is no valid one."""
        value = self._first("message-id")
        return value if is_identifier(value) else b""

    def _with_message_id(self, references: Field) -> Field:
        """References with the original Message-ID, which SES is about to overwrite (RFC 5322 3.6.4)."""
        message_id = self._message_id()
        if not message_id or message_id in references.raw:
            return references
        newline = self.message.newline
        return Field.read(references.raw.rstrip(b"\r\n") + newline + b" " + message_id + newline)

    def _new_references(self) -> Iterator[Field]:
        """References if there was none: In-Reply-To, if it is a single id, and the Message-ID."""
        message_id, parent = self._message_id(), self._first("in-reply-to")
        words = [parent] if is_identifier(parent) else []
        words += [message_id] if message_id and message_id not in words else []
        if message_id:
            yield fields.field("References", [word.decode("ascii") for word in words], self.message.newline)

    def _joined(self, one: Field) -> Field:
        if not self.style.own_ids:
            return one
        from .replying.thread import joined  # noqa: PLC0415 (for who replies only)

        return joined(one, self.style.own_ids, self.message.newline)

    def _tagged(self, subject: Field) -> Field:
        """Subject, with those tags before it that it does not hold yet, as a reply may."""
        said = decode_phrase(subject.value.decode("utf-8", "replace"))
        tags = dict.fromkeys(map(decode_phrase, (*self.style.tags, self.style.subject_tag)))
        tag = " ".join(one for one in tags if one and one not in said)
        if not tag:
            return subject
        name, _, rest = subject.raw.partition(b":")
        words = " ".join(fields.unstructured(f"{tag} " if not tag.isascii() else tag)).encode("ascii")
        text = rest.lstrip(b" \t\r\n")
        after = self.message.newline + (b" " + text if text else b"")
        return Field.read(name + b": " + words + after)


def forwarded_fields(alias: Address, destination: Address, newline: bytes) -> Iterator[Field]:
    """X-Forwarded-To and X-Forwarded-For, as Gmail writes them and asks forwarders to."""
    yield fields.field("X-Forwarded-To", [written(destination)], newline)
    yield fields.field("X-Forwarded-For", [written(alias), written(destination)], newline)


def prepended(style: Style, newline: bytes) -> Iterator[Field]:
    """The header lines of PREPEND rules."""
    for line in style.prepended:
        name, _, value = line.partition(":")
        yield fields.field(name, value.split(), newline)


def _renamed(one: Field, prefix: str, newline: bytes) -> Field:
    """The field under a longer name, folded after it if its first line would become too long. It is ours now: non-ASCII
    text in it is encoded."""
    name, _, rest = one.raw.lstrip(b"\r").partition(b":")
    if not _PLAIN.fullmatch(rest):
        text = "".join(sign if sign.isprintable() else " " for sign in fields.text_of(one.value))
        words = fields.unstructured(" ".join(text.split()))
        return fields.field(f"{prefix}{name.decode('ascii').rstrip()}", words, newline)
    first = len(prefix) + len(name) + len(rest.partition(b"\n")[0])
    fold = newline + b" " if first > LINE_LIMIT else b""
    return Field.read(prefix.encode("ascii") + name + b":" + fold + (rest.lstrip(b" \t") if fold else rest))


def _said(people: tuple[Author, ...], form: str, domain: str) -> str:
    """The first author in this form of From, "" if there is none. A name that holds an address never stands alone."""
    if not people:
        return ""
    own = str(people[0].address)
    address = plain(fields.shortened(own, MAX_ADDRESS))
    name = fields.shortened(neutral(people[0].name, domain), MAX_NAME)
    if form == ADDRESS or not name or name.lower() in (address.lower(), plain(own).lower()):
        return address
    return name if form == NAME and not holds_address(people[0].name) else f"{name} ({address})"


def _from_field(said: str, alias: Address, newline: bytes) -> Field:
    """`From: "Jane Doe (jane at x.example) via example.com" <info@example.com>`, in its first form."""
    via = fields.shortened(alias.domain, MAX_DOMAIN)
    return fields.field("From", [*fields.phrase(f"{said} via {via}"), f"<{written(alias)}>"], newline)


def repliable(message: Message) -> tuple[Author, ...]:
    """The authors that the message's own Reply-To names and SES accepts, () if there are none."""
    first = _reply_to(message)
    return answerable(authors(first.value)) if first else ()


def _reply_to(message: Message) -> Field | None:
    """The first Reply-To that holds an address to reply to."""
    return next((one for one in message.named("reply-to") if answerable(authors(one.value))), None)


def _is_taken(listed: Field) -> bool:
    """Whether SES accepts every mailbox of a list in the sender's own spelling."""
    found = authors(listed.value)
    said = listed.value.lower()
    return count_mailboxes(listed.value) == len(found) and all(
        is_taken(one.address) and written(one.address).lower().encode("ascii") in said for one in found
    )


def _reply_to_fields(people: tuple[Author, ...], newline: bytes) -> Iterator[Field]:
    """A Reply-To with all authors that SES accepts; none if there is none."""
    words = mailboxes(people)
    if words:
        yield fields.field("Reply-To", words, newline)


def mailboxes(people: Iterable[Author], most: int | None = None) -> list[str]:
    """A mailbox-list (RFC 5322 3.4) as words to fold between: all authors that SES accepts, or the first and as many of
    the others as `most` octets hold; each once."""
    words: list[str] = []
    size = 0
    for author in answerable(people):
        name, address = fields.shortened(neutral(author.name), MAX_NAME), written(author.address)
        name = "" if name.lower() == plain(str(author.address)).lower() else name
        more = [*fields.phrase(name), f"<{address}>,"] if name else [f"{address},"]
        size += sum(map(len, more))
        if words and most is not None and size > most:
            break
        words += more
    if words:
        words[-1] = words[-1].removesuffix(",")
    return words
