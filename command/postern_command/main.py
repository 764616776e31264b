"""The commands and their options. docs/command.md is generated from here.

Exit status: 0 done, 1 the answer is no, 2 wrong use, 3 AWS or the network failed.
"""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from postern_mail import __version__
from postern_mail.errors import MessageMissing
from postern_mail.mail.address import Address, InvalidAddress
from postern_mail.mail.envelope import BadEvent
from rich.console import Console

from . import alias, changes, destination, doctor, dry_runs, history, importing, orders, redriving, rewriting, sender
from . import explain as explaining
from .live import source
from .options import JsonOption, ParentStyleOption, StackOption, TablesOption
from .status import exits, say_no, wrong_use
from .tables_file import TablesFile

app = typer.Typer(
    name="postern", no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"postern {__version__}")
        raise typer.Exit


@app.callback()
def postern(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Postern, the back gate of a mail domain."""


app.command()(dry_runs.resolve)
app.command()(dry_runs.screen)
app.add_typer(importing.app, name="import")


@app.command()
def explain(
    message: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="The message, to see how its header changes.")
    ] = None,
    event: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="SES's Lambda event, as JSON.")
    ] = None,
    recipient: Annotated[
        list[str] | None,
        typer.Option(help="An address of ours it would come to, where there is no event; may be repeated."),
    ] = None,
    tables: TablesOption = None,
    stack: StackOption = None,
    parent_style: ParentStyleOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what would become of a message, and why, by a tables file or the live tables. Nothing is sent.

    Without the message the rules see no header From. Without an event say --recipient: the sender is then the
    one in Return-Path, and SES has found nothing against the message. Exit status 0 when the plan was
    printed, whatever it is; 2 for a file that cannot be read; 3 if AWS or the network failed.
    """
    if (event is None) == (not recipient) or (event is None and message is None):
        wrong_use("explain needs either --event EVENT.json, or a message and --recipient for whom it would be")
    try:
        to = tuple(map(Address.parse, recipient or ()))
        with exits():
            explained = explaining.explain(event, message, to, source(stack, tables, parent_style))
    except (BadEvent, OSError, InvalidAddress) as fault:
        wrong_use(fault)
    except (ValueError, RecursionError) as fault:
        wrong_use(f"{event}: {fault}")
    if as_json:
        typer.echo(json.dumps(explained))
    else:
        for line in explaining.lines(explained):
            Console(soft_wrap=True, highlight=False, markup=False).print(line)


@app.command()
def rewrite(
    messages: Annotated[list[Path], typer.Argument(dir_okay=False, help="Messages; several need --out-dir.")],
    recipient: Annotated[str, typer.Option(help="The address of ours that it was sent to.")],
    destination: Annotated[str, typer.Option(help="The mailbox that it is forwarded to.")],
    tables: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="A tables file, as TOML.")] = None,
    out_dir: Annotated[Path | None, typer.Option(file_okay=False, help="Where to write, under the same names.")] = None,
) -> None:
    """Write the bytes that would be forwarded, to standard output or into a folder. AWS is not asked.

    With tables the message goes in the name of the alias they have, and only where they lead. The
    loop stamp is made with a test key. Exit status 1 if a message could not be done, saying which
    and why; 2 for wrong use.
    """
    try:
        to, where = Address.parse(recipient), Address.parse(destination)
        table_file = TablesFile.load(tables) if tables else None
    except ValueError as fault:
        wrong_use(fault)
    if out_dir is not None:
        try:
            faults = list(rewriting.rewrite_all(messages, out_dir, to, where, table_file))
        except OSError as fault:
            wrong_use(f"{out_dir}: {fault}")
        say_no(faults)
    elif len(messages) > 1:
        wrong_use("several messages need --out-dir")
    else:
        try:
            sys.stdout.buffer.write(rewriting.rewritten(messages[0].read_bytes(), to, where, table_file))
        except (rewriting.CannotRewrite, OSError) as fault:
            say_no([f"{messages[0]}: {fault}"])


@app.command()
def original(
    message_id: Annotated[str, typer.Argument(help="SES's id of the message, as log and ledger have it.")],
    bucket: Annotated[str, typer.Option(envvar="POSTERN_MAIL_BUCKET", help="The mail bucket, an output of the stack.")],
    prefix: Annotated[
        str, typer.Option(envvar="POSTERN_MAIL_PREFIX", help="What precedes the id in the key.")
    ] = "inbound/",
) -> None:
    """Write a stored message to standard output, as SES received it.

    Exit status 1 if there is no such message, 3 if AWS or the network failed.
    """
    from postern_mail.aws import clients, mail_store  # noqa: PLC0415 (boto3 takes half a second; only this command needs it)

    with exits():
        try:
            raw = mail_store.S3MailStore(clients.s3(), bucket, prefix).fetch(message_id)
        except MessageMissing as fault:
            say_no([str(fault)])
        else:
            sys.stdout.buffer.write(raw)


for command in (changes.plan, changes.apply, changes.export):
    app.command()(command)
app.command()(history.log)
app.command()(history.trace)
app.command("replay")(orders.replay_)
app.command()(redriving.redrive)
app.command()(doctor.doctor)
app.add_typer(orders.quarantine, name="quarantine")
app.add_typer(alias.app, name="alias")
app.add_typer(sender.app, name="sender")
app.add_typer(destination.app, name="destination")


def run() -> None:
    """Entry point of the `postern` script."""
    app()
