"""`postern rewrite`: the bytes that would be forwarded, without AWS."""

import time
from collections.abc import Iterator
from pathlib import Path

from postern_mail.forward import look_up
from postern_mail.mail.address import Address
from postern_mail.mail.authors import authors
from postern_mail.mail.envelope import NULL_SENDER, Envelope
from postern_mail.mail.header import Header
from postern_mail.mail.message import Message
from postern_mail.mail.plan import Forward, Policy, plan
from postern_mail.mail.rewrite import Style, rewrite
from postern_mail.mail.verdicts import Verdicts

from .tables_file import TablesFile


class CannotRewrite(Exception):
    """This message would not be forwarded so, or cannot be read; the text says why."""


def rewritten(raw: bytes, recipient: Address, destination: Address, tables: TablesFile | None) -> bytes:
    """What `destination` would get; in the name of the recipient, or of its alias in the tables.

    The sender is taken from Return-Path, which SES writes. Raises CannotRewrite if the tables
    would not send this message there.
    """
    envelope = offline_envelope(raw, (recipient,))
    if tables is None:
        return rewrite(raw, recipient, envelope)
    forward = _forward(raw, envelope, destination, tables)
    return rewrite(raw, forward.alias, envelope, Style(prepended=forward.prepended))


def rewrite_all(
    messages: list[Path], folder: Path, recipient: Address, destination: Address, tables: TablesFile | None
) -> Iterator[str]:
    """Rewrite many files into a folder under their own names; yields a line for each that failed."""
    folder.mkdir(parents=True, exist_ok=True)
    names: set[str] = set()
    for path in messages:
        try:
            if path.name in names:
                raise CannotRewrite("another message has the same name")
            names.add(path.name)
            if (folder / path.name).exists() and path.exists() and (folder / path.name).samefile(path):
                raise CannotRewrite("it would be overwritten by its own result")
            (folder / path.name).write_bytes(rewritten(path.read_bytes(), recipient, destination, tables))
        except (CannotRewrite, OSError) as fault:
            yield f"{path}: {fault}"


def offline_envelope(raw: bytes, recipients: tuple[Address, ...]) -> Envelope:
    """The envelope of a message that has no event: the sender that Return-Path names, and no verdicts."""
    found = [author.address for field in Message.split(raw).named("return-path")[:1] for author in authors(field.value)]
    return Envelope.offline(str(found[0]) if found else NULL_SENDER, recipients, Verdicts())


def _forward(raw: bytes, envelope: Envelope, destination: Address, tables: TablesFile) -> Forward:
    header, policy, now = Header.of(raw), Policy(tables.domains), time.time()
    (decision,) = plan(envelope, header, look_up(tables, envelope, header, policy, now), policy, now)
    if not isinstance(decision, Forward):
        raise CannotRewrite(f"not forwarded: {decision.reason}")
    if destination.key not in (one.key for one in decision.destinations):
        listed = ", ".join(map(str, decision.destinations))
        raise CannotRewrite(f"{decision.recipient} does not lead to {destination}, but to {listed}")
    return decision
