"""Whether the account has enough concurrency for a function with a public URL, which reserves part of it.

docs.aws.amazon.com/lambda, "Configuring reserved concurrency": at least 100 must stay unreserved. An account may run
1,000 at once, and a new one often 10.
"""

from collections.abc import Collection
from typing import Any

from .failures import translated

EACH, LEFT = 2, 100  # concurrency that each such function reserves (template.yaml), and that must stay unreserved


def lacking(functions: Any, doors: Collection[str]) -> str:
    """Why these functions, which do not exist yet, do not fit; "" if they do. Raises Temporary."""
    if not doors:
        return ""
    with translated("Lambda GetAccountSettings"):
        limit = functions.get_account_settings()["AccountLimit"]
    free, needed = limit["UnreservedConcurrentExecutions"], EACH * len(doors) + LEFT
    if free >= needed:
        return ""
    return (
        f"{', '.join(sorted(doors))} must wait: of what Lambda runs at once in this account ({free} not reserved), it"
        f" needs {EACH} for each such function and keeps {LEFT} for the others. Ask for more, which costs nothing:"
        " Service Quotas, Lambda, Concurrent executions"
    )
