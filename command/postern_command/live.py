"""Which tables a command works on: those of a stack, those the environment names, or a tables file.

The first of these that is there:

1. `--stack NAME`
2. POSTERN_ALIAS_TABLE, POSTERN_SENDER_TABLE and POSTERN_DOMAINS, as the functions have them;
   `make local` prints them for the emulator
3. POSTERN_STACK
4. samconfig.toml in the working directory, as `sam deploy` reads it, with its region and profile;
   POSTERN_ENV names another environment than `default`
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from postern_mail.mail.address import Address, InvalidAddress
from postern_mail.mail.plan import Policy
from postern_mail.mail.senders import DOT, PARENT
from postern_mail.mail.verdicts import CHOICES
from postern_mail.ports import Tables

from .status import WrongUse
from .tables.file import TablesFile

if TYPE_CHECKING:
    from .aws.stack import Live

SAMCONFIG = Path("samconfig.toml")
_NAMES = ("POSTERN_ALIAS_TABLE", "POSTERN_SENDER_TABLE", "POSTERN_DOMAINS")


@dataclass(frozen=True, slots=True)
class Source:
    """What rows are read from, live or a file, and which domains are ours."""

    tables: Tables
    domains: frozenset[str]
    parent_style: str = PARENT
    screening: Mapping[str, str] = field(default_factory=dict)

    @property
    def policy(self) -> Policy:
        """What the stack, or the command line, says for all mail."""
        return Policy(self.domains, self.parent_style, screening=self.screening)


def source(stack: str | None, tables: Path | None, parent_style: str | None = None) -> Source:
    """The tables file if there is one, else the live tables; `parent_style` in place of the stack's own.

    Raises WrongUse, BadTablesFile, Temporary.
    """
    if tables is not None:
        loaded = TablesFile.load(tables)
        return Source(loaded, loaded.domains, parent_style or PARENT)
    found = live(stack)
    return Source(found.tables, found.domains, parent_style or found.parent_style, found.screening)


def live(stack: str | None) -> "Live":
    """The live tables. Raises WrongUse if nothing says where they are, Temporary if AWS cannot be asked."""
    named = None if stack else _named(os.environ)
    name = None if named else stack_name(stack)
    if not (named or name):
        raise WrongUse(
            "which tables? Say --stack NAME or set POSTERN_STACK; set POSTERN_ALIAS_TABLE, POSTERN_SENDER_TABLE"
            " and POSTERN_DOMAINS; or work where a samconfig.toml with a stack_name is"
        )
    from .aws import stack as stacks  # noqa: PLC0415 (boto3 takes half a second; offline commands do without)

    if named:
        style = DOT if os.environ.get("POSTERN_PARENT_DOMAIN_MATCHES_SUBDOMAINS", "").lower() == "false" else PARENT
        health = os.environ.get("POSTERN_DESTINATION_TABLE", "").strip()
        return stacks.named(*named, parent_style=style, destination_table=health, screening=_screening(os.environ))
    return stacks.deployed(name or "")


def _screening(environment: Mapping[str, str]) -> dict[str, str]:
    """What the function is told in the same environment; raises WrongUse."""
    found = {name: environment.get(f"POSTERN_{name.upper()}_ACTION", "").strip() for name in CHOICES}
    for name, action in found.items():
        if action and action not in CHOICES[name]:
            raise WrongUse(f"POSTERN_{name.upper()}_ACTION is none of {', '.join(CHOICES[name])}: {action!r}")
    return {name: action for name, action in found.items() if action}


def stack_name(stack: str | None) -> str | None:
    """The stack that is meant, by option, variable or samconfig.toml; in the last case AWS is asked where it is.

    Raises WrongUse for a samconfig.toml that cannot be read, Temporary for a profile that is not there.
    """
    sam = SamConfig.load(SAMCONFIG, os.environ.get("POSTERN_ENV") or "default")
    name = stack or os.environ.get("POSTERN_STACK") or sam.stack
    if name and name == sam.stack:
        from .aws import stack as stacks  # noqa: PLC0415 (boto3 takes half a second; offline commands do without)

        stacks.be_in(sam.region, sam.profile)
    return name


def _named(environment: Mapping[str, str]) -> tuple[str, str, list[str]] | None:
    """Both tables and the domains; None if no variable is set, WrongUse if only some are."""
    aliases, senders, domains = (environment.get(name, "").strip() for name in _NAMES)
    if not (aliases or senders):
        return None  # POSTERN_DOMAINS alone says nothing about where
    missing = [name for name, value in zip(_NAMES, (aliases, senders, domains), strict=True) if not value]
    if missing:
        raise WrongUse(f"{', '.join(missing)} is not set, but {' and '.join(n for n in _NAMES if n not in missing)} is")
    try:
        return aliases, senders, [Address.parse(f"x@{domain.strip()}").domain for domain in domains.split(",")]
    except InvalidAddress as fault:
        raise WrongUse(f"POSTERN_DOMAINS is no list of domains: {domains!r}") from fault


@dataclass(frozen=True, slots=True)
class SamConfig:
    """What samconfig.toml says about where the stack is."""

    stack: str | None = None
    region: str | None = None
    profile: str | None = None

    @classmethod
    def load(cls, path: Path, environment: str) -> "SamConfig":
        """The parameters of `sam deploy` in this environment; those of `global` where it has none.

        A file that is not there says nothing; raises WrongUse for one that cannot be read.
        """
        if not path.exists():
            return cls()
        try:
            section = tomllib.loads(path.read_text(encoding="utf-8")).get(environment, {})
            found = {
                **section.get("global", {}).get("parameters", {}),
                **section.get("deploy", {}).get("parameters", {}),
            }
        except (OSError, ValueError, AttributeError, TypeError) as fault:
            raise WrongUse(f"{path}: {fault}") from fault
        return cls(*(str(found[name]) if name in found else None for name in ("stack_name", "region", "profile")))
