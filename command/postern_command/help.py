"""What `--help` says beside each command's own text: in which group the command stands, and an example of each."""

from typing import Any

import typer
from typer.core import TyperGroup

GROUPS = {
    "What would become of mail": ("resolve", "screen", "explain", "rewrite"),
    "What became of mail": ("log", "trace", "original", "quarantine", "replay", "redrive"),
    "The tables": ("alias", "sender", "settings", "plan", "apply", "export", "import"),
    "Health": ("doctor", "destination"),
}
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
    "replay": "3vq0l8s6 --recipient info@example.com",
    "redrive": "--dry-run",
    "doctor": "--stack postern",
    "import postfix": "--domain example.com --main-cf main.cf",
    "quarantine list": "--since yesterday",
    "quarantine show": "3vq0l8s6",
    "quarantine release": "3vq0l8s6 --recipient info@example.com",
    "alias list": "--domain example.com --disabled",
    "alias show": "info@example.com",
    "alias add": "info@example.com jane@dest.example --keep-tag",
    "alias set": "info@example.com --add joe@dest.example",
    "alias remove": "info@example.com --dry-run",
    "alias enable": "info@example.com",
    "alias disable": "info@example.com",
    "sender list": "spammer.example",
    "sender add": 'spammer.example "REJECT no thanks"',
    "sender remove": "spammer.example --scope info@example.com",
    "destination list": "--all",
    "destination show": "jane@dest.example",
    "destination resume": "jane@dest.example",
    "destination redeliver": "jane@dest.example --since 7d",
    "settings list": "--json",
    "settings get": "own_from",
    "settings set": "subject_tag Example",
    "settings unset": "subject_tag",
}
_SHORT = {"ls": "list", "rm": "remove"}  # the example is that of the long name


class Grouped(TyperGroup):
    """The commands of `postern --help` under the headings of GROUPS."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 (typer's own)
        """Write a section for each group."""
        limit = formatter.width - 6 - max(map(len, self.commands))
        for heading, names in GROUPS.items():
            with formatter.section(heading):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(limit)) for name in names])


def give_examples(app: typer.Typer, group: str = "") -> None:
    """Put the example of each command at the end of its help."""
    for one in app.registered_commands:
        name = str(one.name or getattr(one.callback, "__name__", ""))
        words = f"{group} {_SHORT.get(name, name)}".strip()
        one.epilog = f"Example: postern {words} {EXAMPLES[words]}"
    for below in app.registered_groups:
        if below.typer_instance is not None:
            give_examples(below.typer_instance, str(below.name))
