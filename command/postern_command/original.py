"""`postern original`: a message as SES received it."""

import sys

from postern_mail.errors import MessageMissing

from .ids import whole_id
from .options import MessageArgument, StackOption
from .stack import Stack
from .status import exits, refuse


def original(message_id: MessageArgument, stack: StackOption = None) -> None:
    """Write a stored message to standard output, as SES received it.

    Exit status 1 if there is no such message, 3 if AWS or the network failed.
    """
    with exits():
        try:
            found = Stack.find(stack)
            raw = found.bucket.fetch(whole_id(found, message_id))
        except MessageMissing as fault:
            refuse(fault)
        sys.stdout.buffer.write(raw)
