"""A function that invokes itself again, for work that does not fit into one invocation."""

import json
from collections.abc import Mapping
from typing import Any

from ..failures import translated


class NextInvocation:
    """Invokes the function of this name."""

    def __init__(self, client: Any, function: str) -> None:
        self._client = client
        self._function = function

    def start(self, event: Mapping[str, Any]) -> None:
        """Invoke, asynchronously. Raises Temporary."""
        with translated(f"Lambda Invoke {self._function}"):
            self._client.invoke(FunctionName=self._function, InvocationType="Event", Payload=json.dumps(event).encode())
