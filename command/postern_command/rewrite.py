"""`postern rewrite`: the bytes that would be forwarded, without AWS."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from postern_mail.lookup import look_up
from postern_mail.mail import rewrite as rewriting
from postern_mail.mail.address import Address
from postern_mail.mail.envelope import Envelope
from postern_mail.mail.header import Header
from postern_mail.mail.keys import with_domain
from postern_mail.mail.plan import Forward, Policy, plan
from postern_mail.mail.rewrite import Style
from postern_mail.mail.settings import Settings

from .offline import offline_envelope
from .options import RawOption
from .output.octets import not_to_a_terminal
from .status import exits, refuse_any, usage_error
from .tables.file import TablesFile


class CannotRewrite(Exception):
    """The message cannot be read, or would not be forwarded like this; the text says why."""


def rewrite(
    messages: Annotated[list[Path], typer.Argument(dir_okay=False, help="Messages; several need --out-dir.")],
    recipient: Annotated[str, typer.Option(help="Our address that it was sent to.")],
    destination: Annotated[str, typer.Option(help="The mailbox that it is forwarded to.")],
    tables: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="A tables file (TOML).")] = None,
    out_dir: Annotated[Path | None, typer.Option(file_okay=False, help="Write files of the same names here.")] = None,
    raw: RawOption = False,
) -> None:
    """Write the bytes that would be forwarded, to standard output or into a folder. It does not use AWS.

    With --tables, the message is forwarded in the name of the alias that matches, and only to its destinations. The
    loop stamp uses a test key. To a terminal only with --raw. Exit status 1 if a message could not be rewritten,
    saying which and why; 2 for a usage error.
    """
    try:
        table_file = TablesFile.load(tables) if tables else None
        whole = with_domain(recipient, table_file.domains) if table_file else recipient
        to, where = Address.parse(whole), Address.parse(destination)
    except ValueError as fault:
        usage_error(fault)
    if out_dir is not None:
        try:
            faults = list(rewrite_all(messages, out_dir, to, where, table_file))
        except OSError as fault:
            usage_error(f"{out_dir}: {fault}")
        refuse_any(faults)
    elif len(messages) > 1:
        usage_error("several messages need --out-dir")
    else:
        with exits():
            not_to_a_terminal("postern rewrite", raw=raw)
        try:
            sys.stdout.buffer.write(rewritten(messages[0].read_bytes(), to, where, table_file))
        except (CannotRewrite, OSError) as fault:
            refuse_any([f"{messages[0]}: {fault}"])


def rewritten(raw: bytes, recipient: Address, destination: Address, tables: TablesFile | None) -> bytes:
    """The bytes that `destination` would get, in the name of the recipient or of its alias in the tables.

    The sender is taken from Return-Path, which SES writes. Raises CannotRewrite if the tables would not send this
    message there.
    """
    envelope = offline_envelope(raw, (recipient,))
    if tables is None:
        return rewriting.rewrite(raw, recipient, envelope)
    forward = _forward(raw, envelope, destination, tables)
    style = Settings.from_row(tables.settings).styled(Style(prepended=forward.prepended, tags=forward.tags))
    return rewriting.rewrite(raw, forward.alias, envelope, style)


def rewrite_all(
    messages: list[Path], folder: Path, recipient: Address, destination: Address, tables: TablesFile | None
) -> Iterator[str]:
    """Rewrite files into a folder under the same names; yields a line for each that failed."""
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


def _forward(raw: bytes, envelope: Envelope, destination: Address, tables: TablesFile) -> Forward:
    header, policy, now = Header.of(raw), Policy(tables.domains), time.time()
    (decision,) = plan(envelope, header, look_up(tables, envelope, header, policy, now), policy, now)
    if not isinstance(decision, Forward):
        raise CannotRewrite(f"not forwarded: {decision.reason}")
    if destination.key not in (one.key for one in decision.destinations):
        listed = ", ".join(map(str, decision.destinations))
        raise CannotRewrite(f"{decision.recipient} does not lead to {destination}, but to {listed}")
    return decision
