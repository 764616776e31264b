"""`postern original`: a message as SES received it."""

import sys

from postern_mail.errors import MessageMissing

from .ids import full_id
from .options import MessageArgument, RawOption, StackOption
from .output.octets import not_to_a_terminal
from .stack import Stack
from .status import exits, refuse


def original(message_id: MessageArgument, stack: StackOption = None, raw: RawOption = False) -> None:
    """Write a stored message to standard output, as SES received it.

    To a terminal only with --raw. Exit status 1 if there is no such message, 2 for a usage error, 3 if AWS or the
    network failed.
    """
    with exits():
        not_to_a_terminal("postern original", raw=raw)
        try:
            found = Stack.find(stack)
            content = found.bucket.fetch(full_id(found, message_id))
        except MessageMissing as fault:
            refuse(fault)
        sys.stdout.buffer.write(content)
