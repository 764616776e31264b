"""Messages written byte for byte to standard output: to a file or pipe, but like gzip not to a terminal."""

import sys

from ..status import UsageError


def not_to_a_terminal(command: str, *, raw: bool) -> None:
    """Raises UsageError if standard output is a terminal, which would obey a stranger's control codes, unless `raw`."""
    if sys.stdout.isatty() and not raw:
        raise UsageError(
            f"a stranger's message can control a terminal: use {command} ... > message.eml, or a pipe;"
            " --raw shows it anyway"
        )
