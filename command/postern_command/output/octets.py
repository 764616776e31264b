"""A message on its way to standard output, byte for byte: it goes into a file or a pipe, as gzip has it."""

import sys

from ..status import WrongUse


def not_to_a_terminal(command: str, *, raw: bool) -> None:
    """Raises WrongUse if standard output is a terminal, which would do what a stranger wrote; with `raw` it may."""
    if sys.stdout.isatty() and not raw:
        raise WrongUse(
            f"a stranger's message can steer a terminal: say {command} ... > message.eml, or pipe it on;"
            " --raw shows it all the same"
        )
