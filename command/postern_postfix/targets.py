"""The meaning of one address on a right-hand side, in aliases(5) and in virtual(5)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from postern_mail.mail.address import Address, InvalidAddress

from .report import Part, impossible
from .tokens import Token, addresses

# In aliases(5) a command that only exits is an idiom: 0 discards the mail, 75 defers it, any other status bounces it
# (sysexits.h; 67 is EX_NOUSER).
_EXIT = re.compile(r"exit(?:\s+(\d{1,3}))?\s*;?\Z")
_SWALLOWS = re.compile(r"(?:(?:/usr)?/bin/)?(?:true|cat\s*>\s*/dev/null)\Z")
_TRY_AGAIN = 75  # EX_TEMPFAIL
_NO_COMMENT = "here # does not start a comment"
_DOT_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+\Z")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address with a domain."""

    address: Address


@dataclass(frozen=True, slots=True)
class Name:
    """A bare name, in internal form: an alias, or a user on the box."""

    local: str


@dataclass(frozen=True, slots=True)
class AtDomain:
    """`@other.example`: the same local part there."""

    domain: str


@dataclass(frozen=True, slots=True)
class Discard:
    """Accepted and discarded; `why` is the text that says so."""

    why: str


@dataclass(frozen=True, slots=True)
class Bounce:
    """Rejected as unknown, by a command that only exits; `why` is its text."""

    why: str


@dataclass(frozen=True, slots=True)
class Include:
    """`:include:/path`: the addresses in a file."""

    path: str


@dataclass(frozen=True, slots=True)
class Cannot:
    """What Postern cannot do; `part` says why and what to do instead."""

    part: Part


Target = Mailbox | Name | AtDomain | Discard | Bounce | Include | Cannot


def alias_targets(tokens: Sequence[Token]) -> tuple[Target, ...]:
    """The targets of a right-hand side of aliases(5)."""
    return _until_comment([_alias_target(text) for text in addresses(tokens)])


def included_targets(tokens: Sequence[Token]) -> tuple[Target, ...]:
    """The targets of a line of an included file, where Postfix allows neither commands nor files by default."""
    return _until_comment([_included_target(text) for text in addresses(tokens)])


def virtual_targets(tokens: Sequence[Token]) -> tuple[Target, ...]:
    """The targets of a right-hand side of virtual(5)."""
    found: list[Target] = []
    texts = addresses(tokens)
    for text in texts:
        if not text.startswith("@"):
            found.append(_address(text))
        elif len(texts) == 1:
            found.append(_at_domain(text))
        else:
            says = f"{text} must be the only address: Postfix takes the others as part of it"
            found.append(Cannot(impossible(says, "write whole addresses")))
    if texts[:1] and texts[0].startswith("@"):
        return tuple(found[:1])  # Postfix takes the rest as part of it
    return _until_comment(found)


def quoted(local: str, domain: str) -> Address:
    """The address with this local part in internal form. Raises InvalidAddress."""
    if not local:
        raise InvalidAddress(f"not a mail address: '@{domain}'")
    if not _DOT_ATOM.match(local):
        escaped = re.sub(r'(["\\])', r"\\\1", local)
        local = f'"{escaped}"'
    return Address.parse(f"{local}@{domain}")


def _alias_target(text: str) -> Target:
    if text.startswith("|"):
        return _command(text)
    if text == "/dev/null":
        return Discard(text)
    if text.startswith(("/", "~")):
        instead = "use a mailbox; every original is kept in the mail bucket for a while"
        return Cannot(impossible(f"{text}: there is no file to append mail to", instead))
    if text.lower().startswith(":include:"):
        return Include(text[len(":include:") :].strip())
    return _address(text)


def _included_target(text: str) -> Target:
    if text.startswith(("|", "/", "~")):
        instead = "use a mailbox in the list"
        return Cannot(impossible(f"{text}: no commands or files in a list; Postfix refuses them too", instead))
    return _alias_target(text)


def _command(text: str) -> Target:
    command = text[1:].strip()
    exits = _EXIT.match(command)
    status = int(exits[1] or 0) if exits else None
    if status == 0 or _SWALLOWS.match(command):
        return Discard(text)
    if status is not None and status != _TRY_AGAIN:
        return Bounce(text)
    instead = "forward to a mailbox that the program reads, or run it in a Lambda function on the mail bucket's events"
    return Cannot(impossible(f"{text}: there is no host to run a command on", instead))


def _at_domain(text: str) -> Target:
    try:
        return AtDomain(Address.parse(f"x{text.removesuffix('.')}").domain)
    except InvalidAddress:
        return Cannot(impossible(f"{text}: not a domain", "fix the domain"))


def _address(text: str) -> Target:
    local, at, domain = text.rpartition("@")
    if not text:
        return Cannot(impossible("an empty address", "remove it, or write /dev/null to discard mail"))
    if text.startswith("#"):
        return Cannot(impossible(f"{text}: {_NO_COMMENT}", "put the comment on a line of its own"))
    if not at:
        return _bare(text)
    try:
        return Mailbox(quoted(local, domain.removesuffix(".")))
    except InvalidAddress:
        instead = "write it as user@domain in ASCII, as SES requires"
        return Cannot(impossible(f"{text}: not a mail address", instead))


def _bare(text: str) -> Target:
    if "!" in text or "%" in text:
        return Cannot(impossible(f"{text}: not a mail address", "write it as user@domain"))
    if PurePosixPath(text).is_absolute() or text.startswith(("|", ":")):
        instead = "only aliases(5) has files, commands and lists: use a mailbox"
        return Cannot(impossible(f"{text}: not a mail address", instead))
    return Name(text)


def _until_comment(targets: Sequence[Target]) -> tuple[Target, ...]:
    """The targets up to a `#`: what follows it was not meant as addresses, and is reported once."""
    kept: list[Target] = []
    for target in targets:
        kept.append(target)
        if isinstance(target, Cannot) and target.part.says.endswith(_NO_COMMENT):
            break
    return tuple(kept)
