"""The commands of `postern`: the group of `--help` that each is in, its line there, and its example.

A command is in the module of its name, which is imported only when that command is run: `postern --help` imports no
command.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

GROUPS = {
    "What would happen to mail": {
        "resolve": "Where mail for an address goes.",
        "screen": "What the sender rules say about a sender.",
        "explain": "What would happen to a message, and why.",
        "rewrite": "The bytes that would be forwarded.",
    },
    "What happened to mail": {
        "log": "The outcome for each recipient, newest message first.",
        "trace": "Everything the ledger knows about one message.",
        "stats": "How much mail came in, and what happened to it.",
        "original": "A message as SES received it.",
        "quarantine": "Quarantined mail: list, show, release, delete, learn.",
        "replay": "Process messages again for recipients that got nothing.",
        "redrive": "Put dead letters back on the retry queue.",
    },
    "The tables": {
        "alias": "List and edit aliases.",
        "contact": "Add, list and remove reply addresses.",
        "sender": "List and edit sender rules.",
        "rule": "List and edit rules by Subject, From, To, list or size.",
        "token": "Tokens that let a password manager create aliases.",
        "settings": "List and edit the settings for all mail.",
        "send-as": "Passwords that let mail programs send as an alias.",
        "block-ip": "List and edit the IP addresses that SES refuses.",
        "plan": "Show what `apply` would change in the live tables.",
        "apply": "Make the live tables match a file.",
        "export": "Write the live tables to a file.",
        "import": "Make a tables file from another mail system's files.",
    },
    "Set-up": {
        "domain": "Mail domains: list, show, and clean up former ones.",
        "init": "Write owner.yaml, the values for `make deploy`.",
        "dns": "The DNS records you need, and what public DNS has.",
    },
    "Health": {
        "page": "All of this in the browser on this machine.",
        "doctor": "Check for anything that needs attention.",
        "destination": "Destinations that bounce: list and resume them.",
        "verify": "Test what only a real AWS account can show.",
    },
}
_NAMES = [name for commands in GROUPS.values() for name in commands]
_MODULES = {"import": "import_postfix", "block-ip": "block_ip", "send-as": "send_as"}  # where the module's name differs
EXAMPLES = {
    "resolve": "info@example.com sales@example.com",
    "screen": "spam@spammer.example --alias info@example.com",
    "explain": "mail.eml --recipient info@example.com",
    "rewrite": "m.eml --recipient a@a.test --destination b@b.test",
    "original": "3vq0l8s6 > mail.eml",
    "plan": "tables.toml --check",
    "apply": "tables.toml",
    "export": "--out tables.toml",
    "log": "--since 7d --recipient info@example.com --state lost",
    "trace": "3vq0l8s6",
    "stats": "--days 7 --by alias",
    "replay": "3vq0l8s6 --recipient info@example.com",
    "redrive": "--dry-run",
    "init": "--domain example.com --owner you@home.example",
    "dns": "--wait",
    "page": "--read-only",
    "doctor": "--stack postern",
    "verify": "--domain example.com --only case",
    "import postfix": "--domain example.com --main-cf main.cf",
    "quarantine list": "--since yesterday",
    "quarantine show": "3vq0l8s6",
    "quarantine release": "3vq0l8s6 --recipient info@example.com",
    "quarantine delete": "3vq0l8s6 --dry-run",
    "quarantine learn": "3vq0l8s6",
    "alias list": "--domain example.com --disabled",
    "alias show": "info@example.com",
    "alias add": "info@example.com jane@dest.example --keep-tag",
    "alias set": "info@example.com --add joe@dest.example",
    "alias remove": "info@example.com --dry-run",
    "alias enable": "info@example.com",
    "alias disable": "info@example.com",
    "contact add": "info@example.com betsy@sender.example",
    "contact list": "info@example.com",
    "contact remove": "info@example.com betsy@sender.example",
    "sender list": "spammer.example",
    "sender add": 'spammer.example "REJECT no thanks"',
    "sender remove": "spammer.example --scope info@example.com",
    "rule list": "--wide",
    "rule add": "10 HOLD --subject 'contains casino'",
    "rule move": "10 5",
    "rule remove": "10 --dry-run",
    "token list": "--json",
    "token add": "phone --domain example.com --to jane@dest.example",
    "token remove": "phone",
    "destination list": "--all",
    "destination show": "jane@dest.example",
    "destination resume": "jane@dest.example",
    "destination redeliver": "jane@dest.example --since 7d",
    "block-ip list": "--stack postern",
    "block-ip add": "192.0.2.0/24",
    "block-ip remove": "192.0.2.0/24",
    "send-as add": "info@example.com",
    "send-as list": "--json",
    "send-as rotate": "info@example.com",
    "send-as remove": "info@example.com --dry-run",
    "domain list": "--json",
    "domain show": "example.com",
    "domain remove": "example.com --dry-run",
    "settings list": "--json",
    "settings get": "own_from",
    "settings set": "subject_tag Example",
    "settings unset": "subject_tag",
    "settings whitelist": "clients /etc/postgrey/whitelist_clients",
}
_LONG = {"ls": "list", "rm": "remove"}  # short names share the example of the long ones


class _Commands(Mapping[str, Any]):
    """The commands by name, each loaded on first use."""

    def __getitem__(self, name: str) -> Any:
        if name not in _NAMES:
            raise KeyError(name)
        return _loaded(name)

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)


COMMANDS = _Commands()


class Grouped(TyperGroup):
    """Lists the commands under the headings of GROUPS."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands: Any = COMMANDS

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 (typer's own)
        """The names, without loading the commands."""
        return list(self.commands)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 (typer's own)
        """Write a section for each group, from GROUPS alone."""
        for heading, commands in GROUPS.items():
            with formatter.section(heading):
                formatter.write_dl(list(commands.items()))


@cache
def _loaded(name: str) -> Any:
    module = import_module(f".{_MODULES.get(name, name)}", __package__)
    around = typer.Typer(rich_markup_mode=None)
    if hasattr(module, "app"):
        around.add_typer(module.app, name=name)
    else:
        around.command(name)(getattr(module, name))
    _give_examples(around)
    return typer.main.get_group(around).commands[name]


def _give_examples(app: typer.Typer, group: str = "") -> None:
    """Put the example of each command at the end of its help."""
    for one in app.registered_commands:
        name = str(one.name or getattr(one.callback, "__name__", ""))
        words = f"{group} {_LONG.get(name, name)}".strip()
        one.epilog = f"Example: postern {words} {EXAMPLES[words]}"
    for below in app.registered_groups:
        if below.typer_instance is not None:
            _give_examples(below.typer_instance, str(below.name))
