"""What a test needs and this machine lacks: a reason to skip it, and where nothing may be skipped to fail."""

import os
from typing import NoReturn

import pytest

VARIABLES = ("CI", "POSTERN_REQUIRE_POSTFIX")  # of the environment; .ci/run sets the second


def without(reason: str) -> NoReturn:
    """End the test, for want of what the reason names."""
    required = any(os.environ.get(name, "") not in ("", "0", "false") for name in VARIABLES)
    (pytest.fail if required else pytest.skip)(reason)
    raise AssertionError("neither returns")
