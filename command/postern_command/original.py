"""`postern original`: a message as SES received it."""

import sys
from typing import Annotated

import typer
from postern_mail.errors import MessageMissing

from .status import exits, say_no


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
