"""samconfig.toml in the working directory, as `sam deploy` reads it."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .status import UsageError

SAMCONFIG = Path("samconfig.toml")
DEFAULT = "default"
_FILE = "file://"  # SAM CLI's prefix for a file of parameters: samcli/cli/types.py, CfnParameterOverridesType


def environment() -> str:
    """The environment of samconfig.toml to use: POSTERN_ENV, else SAM's default."""
    return os.environ.get("POSTERN_ENV") or DEFAULT


@dataclass(frozen=True, slots=True)
class SamConfig:
    """One environment of samconfig.toml: where the stack is, and what it is made from."""

    stack: str | None = None
    region: str | None = None
    profile: str | None = None
    template: Path = Path("template.yaml")
    owner: Path | None = None  # the file with the owner's values for its parameters

    @classmethod
    def load(cls, environment: str, path: Path = SAMCONFIG) -> "SamConfig":
        """The parameters of `sam deploy` in this environment, else those of `global`; empty if there is no file.

        Raises UsageError for a file that cannot be read.
        """
        if not path.exists():
            return cls()
        try:
            section = tomllib.loads(path.read_text(encoding="utf-8")).get(environment, {})
            found = {**_parameters(section, "global"), **_parameters(section, "deploy")}
            template = _parameters(section, "build").get("template_file", "template.yaml")
        except (OSError, ValueError, AttributeError, TypeError) as fault:
            raise UsageError(f"{path}: {fault}") from fault
        stack, region, profile = (
            str(found[name]) if name in found else None for name in ("stack_name", "region", "profile")
        )
        return cls(stack, region, profile, Path(str(template)), _file(found.get("parameter_overrides")))


def _parameters(section: Mapping[str, Any], command: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = section.get(command, {}).get("parameters", {})
    return {**found}


def _file(overrides: object) -> Path | None:
    """The one file with all parameters, None if they are given in any other way."""
    if not isinstance(overrides, list) or len(overrides) != 1 or not str(overrides[0]).startswith(_FILE):
        return None
    return Path(str(overrides[0]).removeprefix(_FILE))
