"""Where on AWS a command works, and as whom."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Where:
    """A region and a profile of AWS, None for what boto3 finds; `typed` are those of the command line."""

    region: str | None = None
    profile: str | None = None
    typed: ClassVar["Where"]


Where.typed = Where()
