"""Where the `postern` script starts: Ctrl-C is no traceback, also while the libraries are still loading."""

import sys


def run() -> None:
    """Run the command; status 130 for Ctrl-C, as a shell says it."""
    try:
        from .main import run as command  # noqa: PLC0415 (this is what takes its time)

        command()
    except KeyboardInterrupt:
        sys.exit(130)
