"""`postern init`: the owner's values for a stack, from two answers and a look at what is there."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer
from postern_mail.mail.visible import visible

from .options import JsonOption
from .output.terminal import printer
from .owner import file, values
from .owner.parameters import Parameter, load
from .samconfig import SAMCONFIG, SamConfig, environment
from .status import WrongUse, exits, refuse, say_no, wrong_use

_TRIES = 3  # at each question

ConfigEnvOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The environment of samconfig.toml: dev, relay; else POSTERN_ENV, or default."),
]


def init(
    domain: Annotated[str | None, typer.Option(help="The mail domain; else it is asked for.")] = None,
    owner: Annotated[
        str | None,
        typer.Option(help="Your mailbox outside of this domain, which hears of trouble; else it is asked for."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only say what is wrong in the file, as `make deploy` does first.")
    ] = False,
    config_env: ConfigEnvOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: --domain and --owner say it all.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write owner.yaml, the values that `make deploy` deploys with, from two answers.

    A file that is there keeps its values and gets those that it lacks. Exit status 1 if a value in it would not be
    taken, or with --check if the file is not complete.
    """
    with exits():
        stage = config_env or environment()
        config = SamConfig.load(stage)
        if config.owner is None:
            raise WrongUse(
                f"{SAMCONFIG} names no file of the owner's for {stage}: work in the folder of Postern's source"
            )
        parameters = load(config.template)
    if check:
        _check(config.owner, parameters)
        return
    _write(config.owner, parameters, Answers(domain, owner, ask=not (yes or as_json)), as_json)


class Answers:
    """What was typed as options, or is asked for."""

    def __init__(self, domain: str | None, owner: str | None, *, ask: bool) -> None:
        self.given = {"--domain": domain, "--owner": owner}
        self._ask = ask

    def get(self, option: str, question: str, read: Callable[[str], str]) -> str:
        """An answer that can be read. Ends with status 2 after three that cannot, or where nothing may be asked."""
        given = self.given[option]
        for left in reversed(range(_TRIES if given is None and self._ask else 1)):
            try:
                return read(str(typer.prompt(question, err=True)) if given is None and self._ask else given or "")
            except ValueError as fault:
                if not left:
                    wrong_use(f"{option}: {fault}")
                typer.echo(f"  {visible(str(fault))}", err=True)
        raise AssertionError("the last try ends above")


def _check(path: Path, parameters: Mapping[str, Parameter]) -> None:
    try:
        text = file.read(path)
    except FileNotFoundError:
        refuse(f"there is no {path}: `postern init` asks two questions and writes it")
    except file.Unreadable as fault:
        refuse(f"{path}: {fault}")
    say_no(f"{path}: {fault}" for fault in values.faults(text, parameters))
    typer.echo(f"{path}: complete, {len(parameters)} parameters")


def _write(path: Path, parameters: Mapping[str, Parameter], answers: Answers, as_json: bool) -> None:
    there, text, added, gone = _there(path, parameters)
    known = file.values(text)
    chosen = _answered(known, parameters, answers)
    text = file.changed(text, parameters, chosen)
    if text != there:
        _replace(path, text)
    found = list(values.faults(text, parameters))
    if as_json:
        now = file.values(text)
        typer.echo(json.dumps({"file": str(path), "values": now, "added": added, "removed": gone, "faults": found}))
    else:
        _tell(path, there, text, parameters, added, gone)
    say_no(f"{path}: {fault}" for fault in found)


def _there(path: Path, parameters: Mapping[str, Parameter]) -> tuple[str, str, list[str], list[str]]:
    """The file as it is, "" for none; the same completed, or a new one; what was added, and what was taken out."""
    try:
        there = file.read(path)
        return there, *file.completed(there, parameters)
    except FileNotFoundError:
        return "", file.written(parameters, _begun(path, parameters), values.HEAD), [], []
    except file.Unreadable as fault:
        refuse(f"{path}: {fault}")


def _begun(path: Path, parameters: Mapping[str, Parameter]) -> dict[str, str]:
    """What a new file begins with: the example beside it, but for whose it is."""
    try:
        example = file.values(file.read(path.with_suffix(f".example{path.suffix}")))
    except (FileNotFoundError, file.Unreadable):
        return {}
    whose = {values.domain_parameter(parameters), values.owner_parameter(parameters)}
    return {name: value for name, value in example.items() if name not in whose}


def _answered(known: Mapping[str, str], parameters: Mapping[str, Parameter], answers: Answers) -> dict[str, str]:
    """Domain and owner, asked for where the file does not say them."""
    domain_name, owner_name = values.domain_parameter(parameters), values.owner_parameter(parameters)
    chosen = {}
    if answers.given["--domain"] is not None or not values.domains(known):
        chosen[domain_name] = answers.get("--domain", "The mail domain, as example.com", values.domain)
    ours = values.domains({**known, **chosen})
    if answers.given["--owner"] is not None or not values.owner(known):
        question = "Your mailbox outside of it, which hears of trouble"
        chosen[owner_name] = answers.get("--owner", question, lambda typed: values.address(typed, ours))
    return chosen


def _replace(path: Path, text: str) -> None:
    """Write the file whole or not at all."""
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(path)
    except OSError as fault:
        refuse(fault)


def _tell(
    path: Path, there: str, text: str, parameters: Mapping[str, Parameter], added: list[str], gone: list[str]
) -> None:
    say = printer()
    before, now = file.values(there) if there else {}, file.values(text)
    for name, value in now.items():
        if there and name in before and before[name] != value:
            say(f"{path}: {name} is {value!r} now, and was {before[name]!r}", None)
        elif not there and value != (parameters[name].default or ""):
            say(f"{path}: {name} is {value!r}", None)
    for name in added:
        say(f"{path}: {name} is new, with its default {now[name]!r}", None)
    for name in gone:
        say(f"{path}: {name} is no parameter any more; its line is a comment now", None)
    said = "is unchanged" if there == text else "is written"
    say(f"{path} {said}, with all {len(parameters)} parameters; docs/parameters.md says what each means.", None)
