"""The commands of `postern`: in which group of `--help` each stands, what is said of it there, and its examples.

A command is in the module of its name, which is imported when the command is asked for: `postern --help` needs none
of them.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

GROUPS = {
    "What would become of mail": {
        "resolve": "Where mail for an address goes.",
        "screen": "What the sender rules say of a sender.",
        "explain": "What would become of a message, and why.",
        "rewrite": "The bytes that would be forwarded.",
    },
    "What became of mail": {
        "log": "What became of each recipient, newest message first.",
        "trace": "Everything that is known of one message.",
        "stats": "How much mail there was, and what became of it.",
        "original": "A message as SES received it.",
        "quarantine": "What was kept: list, show, release, delete, learn.",
        "replay": "Run messages again for recipients that got nothing.",
        "redrive": "Put dead letters back on the retry queue.",
    },
    "The tables": {
        "alias": "List and edit aliases.",
        "contact": "Reply addresses: add, list and remove them.",
        "sender": "List and edit sender rules.",
        "rule": "List and edit rules by subject, From, To, list, size.",
        "token": "Tokens by which a password manager makes aliases.",
        "settings": "List and edit what holds for all mail.",
        "send-as": "Passwords by which mail programs send as an alias.",
        "block-ip": "List and edit whom SES refuses by address.",
        "plan": "What would make the live tables equal to a file.",
        "apply": "Make the live tables equal to a file.",
        "export": "Write the live tables as a file.",
        "import": "Make a file from another mail system's files.",
    },
    "Set-up": {
        "domain": "Mail domains: list, show, and remove what was left.",
        "init": "Write owner.yaml, the values that `make deploy` deploys with.",
        "dns": "The DNS records that are needed, and what public DNS says.",
    },
    "Health": {
        "page": "A page with all of this, for this machine's browser.",
        "doctor": "Check for anything that needs attention.",
        "destination": "Destinations that bounce: list and resume them.",
        "verify": "Test what only a real account can tell.",
    },
}
_NAMES = [name for commands in GROUPS.values() for name in commands]
_MODULES = {"import": "import_postfix", "block-ip": "block_ip", "send-as": "send_as"}  # where the name is another
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
_LONG = {"ls": "list", "rm": "remove"}  # the example is that of the long name


class _Commands(Mapping[str, Any]):
    """The commands by name, each loaded where it is first asked for."""

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
    """The commands of GROUPS under its headings."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands: Any = COMMANDS

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 (typer's own)
        """The names, without a look at the commands."""
        return list(self.commands)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 (typer's own)
        """Write a section for each group, of the table alone."""
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
