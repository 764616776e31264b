"""How long the tests here look for a difference."""

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings

# Without it every run asks the same; with it, that many examples at random for each test.
EXAMPLES = "POSTERN_POSTFIX_EXAMPLES"


def judging(examples: int) -> Callable[[Any], Any]:
    """Settings for a test that asks the judge: no deadline, because a process starts for each question."""
    wanted = os.environ.get(EXAMPLES)
    return settings(
        max_examples=int(wanted) if wanted else examples,
        derandomize=wanted is None,
        deadline=None,
        phases=(Phase.generate,),  # the failure names its question, and shrinking asks a thousand more
        database=None,
        suppress_health_check=list(HealthCheck),
    )
