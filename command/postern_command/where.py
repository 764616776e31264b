"""The AWS region and profile that a command uses."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Where:
    """An AWS region and profile; None leaves it to boto3. `typed` holds the ones from the command line."""

    region: str | None = None
    profile: str | None = None
    typed: ClassVar["Where"]


Where.typed = Where()
