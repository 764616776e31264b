"""Where the `postern` script starts: Ctrl-C gives no traceback, even while libraries are loading."""

import sys


def run() -> None:
    """Run the command; exit status 130 for Ctrl-C, as in a shell."""
    try:
        from .main import run as command  # noqa: PLC0415 (this is what takes its time)

        command()
    except KeyboardInterrupt:
        sys.exit(130)
