"""Generates docs from the code: docs/settings.md, docs/parameters.md, docs/command.md, docs/costs.md,
docs/reference/environment.md, watch.md and digest.md, and the examples of owner files.

`python -m docs.generate --check` writes nothing and exits 1 if one of them is out of date.
"""

import re
import subprocess
import sys
from dataclasses import MISSING, fields
from pathlib import Path
from textwrap import fill
from typing import Any

from postern_command.owner import file, values
from postern_command.owner.parameters import load
from postern_mail.environment import (
    DigestEnvironment,
    FeedbackEnvironment,
    InboundEnvironment,
    LinksEnvironment,
    RecipientsEnvironment,
    WatchEnvironment,
    groups,
)
from postern_mail.mail.settings import descriptions
from samtranslator.yaml_helper import yaml_parse

from docs import costs, digest_mail, watch_mails

DOCS = Path(__file__).parent
TEMPLATE = DOCS.parent / "template.yaml"
# ls and rm, which the help hides: their sections, and the lines that name them.
_HIDDEN = re.compile(r"^### `postern [\w-]+ (?:ls|rm)`\n.*?(?=^##)|^\* `(?:ls|rm)`:[^\n]*\n", re.MULTILINE | re.DOTALL)
_NO_PROSE = ("|", "#", "<", "*", "-", "    ")
MADE = "<!-- Made by docs/generate.py (make docs); do not edit. -->\n\n"


def settings() -> str:
    """The settings, changed without a deployment, from the fields of Settings."""
    said = """\
Settings apply to all mail from the next message on, without a deployment: `postern settings set NAME VALUE`, or
`[settings]` in a tables file. They are one item of the alias table, with the key `#settings`; an attribute whose name
begins with `x_` is yours. A value that is not allowed, or an unknown name, defers all mail until you correct it: the
reason begins with `settings:`, and `postern doctor` names it."""
    head = "| setting | default | unit | allowed | meaning |\n|---|---|---|---|---|"
    rows = [
        f"| `{one.name}` | {_shown(one.default)} | {one.unit} | {one.allowed} | {one.meaning} |"
        for one in descriptions().values()
    ]
    return "\n".join([f"{MADE}# Settings\n\n{said}\n", head, *rows]) + "\n"


def parameters() -> str:
    """The parameters of a deployment, from template.yaml, in the order of its groups."""
    template = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    said = (
        "You choose parameters in `owner.yaml`, which `postern init` writes and `make deploy` deploys."
        " [Settings](settings.md) change without a deployment."
    )
    pieces = [f"{MADE}# Parameters\n\n{said}\n"]
    for group in template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]:
        rows = [_parameter(name, template["Parameters"][name]) for name in group["Parameters"]]
        head = "| parameter | default | allowed | meaning |\n|---|---|---|---|"
        pieces.append("\n".join([f"## {group['Label']['default']}\n", head, *rows]) + "\n")
    return "\n".join(pieces)


def _parameter(name: str, spec: dict[str, Any]) -> str:
    default = spec.get("Default")
    allowed = ", ".join(f"`{one}`" for one in spec.get("AllowedValues", ())) or spec.get("ConstraintDescription", "")
    if not allowed and ("MinValue" in spec or "MaxValue" in spec):
        allowed = f"from {spec.get('MinValue', '')} to {spec.get('MaxValue', '')}".removesuffix(" to ")
    return f"| `{name}` | {_shown(default)} | {allowed} | {' '.join(spec['Description'].split())} |"


def environment() -> str:
    """The environment of the functions as tables, each group once, from the metadata of the classes."""
    said = "The environment of the functions. template.yaml sets all of it, from its [parameters](../parameters.md)."
    functions: dict[str, type[Any]] = {
        "inbound": InboundEnvironment,
        "feedback": FeedbackEnvironment,
        "recipients": RecipientsEnvironment,
        "watch": WatchEnvironment,
        "digest": DigestEnvironment,
        "links": LinksEnvironment,
    }
    shared = {kind: None for one in functions.values() for kind in groups(one).values()}
    pieces = [f"{MADE}# Environment\n\n{said}\n"]
    for kind in shared:
        told = [
            f"`functions/{name.replace(' and functions/', '` and `functions/')}`"
            for name, one in functions.items()
            if kind in groups(one).values()
        ]
        pieces.append(f"## {kind.__name__}\n\n{kind.__doc__} Set for {', '.join(told)}.\n\n{_table(kind)}")
    pieces += [f"## functions/{name}\n\nBesides {_names(one)}:\n\n{_table(one)}" for name, one in functions.items()]
    return "\n".join(pieces)


def _names(kind: type[Any]) -> str:
    return ", ".join(f"[{one.__name__}](#{one.__name__.lower()})" for one in groups(kind).values())


def _shown(default: Any) -> str:
    return "required" if default is None else "empty" if default == "" else f"`{default}`"


def _table(kind: type[Any]) -> str:
    rows = [
        f"| `{one.metadata['variable']}` | {'required' if one.default is MISSING else f'`{one.default}`'.lower()} | {one.metadata['meaning']} |"  # noqa: E501
        for one in fields(kind)
        if "variable" in one.metadata
    ]
    return "\n".join(["| variable | default | meaning |\n|---|---|---|", *rows]) + "\n"


def command() -> str:
    """The command reference, generated by typer."""
    typer = Path(sys.executable).parent / "typer"
    arguments = [str(typer), "postern_command.main", "utils", "docs", "--name", "postern"]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)  # noqa: S603 (our own command line)
    return MADE + _HIDDEN.sub("", done.stdout).rstrip() + "\n"


def owners() -> dict[Path, str]:
    """The examples of owner files: for the stack, a second stage, and the relay."""
    stack, relay = load(TEMPLATE), load(DOCS.parent / "relay/template.yaml")
    said = "An example, made by docs/generate.py (make docs). `postern init{}` writes yours, {}.\n"
    owner = {"OwnerAddress": "you@home.example"}
    live = {values.domain_parameter(stack): "example.com", **owner}
    dev = {
        values.domain_parameter(stack): "dev.example.com",
        **owner,
        "RuleSetMode": "join",
        "ActiveRuleSet": "postern",
    }
    hosts = {"Domain": "example.com", "Owner": "you@home.example"}
    made = (
        ("owner", "", stack, live),
        ("owner.dev", " --config-env dev", stack, dev),
        ("owner.relay", " --config-env relay", relay, hosts),
    )
    return {
        DOCS.parent / f"{name}.example.yaml": file.written(
            parameters, chosen, said.format(option, f"{name}.yaml") + values.HEAD
        )
        for name, option, parameters, chosen in made
    }


def wrapped(text: str) -> str:
    """A document whose paragraphs have lines of at most 100 columns. Tables, headings, lists and code stay."""
    return (
        "\n\n".join(
            piece if piece.startswith(_NO_PROSE) else fill(piece, 100, break_long_words=False, break_on_hyphens=False)
            for piece in text.rstrip("\n").split("\n\n")
        )
        + "\n"
    )


def main(check: bool) -> int:
    """Write the generated files, or check that they are up to date."""
    made = {
        DOCS / "settings.md": wrapped(settings()),
        DOCS / "costs.md": wrapped(MADE + costs.document()),
        DOCS / "reference/watch.md": wrapped(MADE + watch_mails.document()),
        DOCS / "reference/digest.md": wrapped(MADE + digest_mail.document()),
        DOCS / "parameters.md": wrapped(parameters()),
        DOCS / "command.md": command(),
        DOCS / "reference/environment.md": wrapped(environment()),
        **owners(),
    }
    stale = [path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if check:
            print(f"out of date: {path.name}; run make docs")
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(made[path], encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
