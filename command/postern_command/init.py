"""`postern init`: the owner's values for a stack, from two answers and a look at what is there."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from postern_mail.examination import Examined, Grade

from .options import JsonOption
from .output.examined import as_object, show
from .output.paragraphs import paragraphs
from .owner import file, values
from .owner.answers import Answers
from .owner.draft import Draft
from .owner.parameters import Parameter, load, receiving_regions
from .samconfig import DEFAULT, SAMCONFIG, SamConfig, environment
from .stack import select
from .status import NO, UsageError, exits, refuse, refuse_any
from .where import Where

ConfigEnvOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The environment of samconfig.toml: dev, relay; else POSTERN_ENV, or default."),
]


def init(
    domain: Annotated[str | None, typer.Option(help="The mail domain; else it asks.")] = None,
    owner: Annotated[
        str | None,
        typer.Option(help="Your mailbox outside this domain, which gets the alarms; else it asks."),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only check the file, as `make deploy` does first.")] = False,
    config_env: ConfigEnvOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing; use --domain and --owner.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Ask two questions, look at your account and DNS, and write owner.yaml, the values for `make deploy`.

    An existing file keeps its values and gets those it lacks. What these credentials may not read is named and
    skipped. Exit status 1 if a deployment would fail, or with --check if the file is not complete.
    """
    with exits():
        stage = config_env or environment()
        config = SamConfig.load(stage)
        if config.owner is None:
            raise UsageError(f"{SAMCONFIG} names no owner file for {stage}: run this in the folder of Postern's source")
        parameters = load(config.template)
        if check:
            _check(config.owner, parameters)
            return
        try:
            draft = Draft.begin(config.owner, parameters)
        except file.Unreadable as fault:
            refuse(f"{config.owner}: {fault}")
        draft.choose(Answers(domain, owner, ask=not (yes or as_json)).to(draft.values, parameters))
        select(Where(Where.typed.region or config.region, Where.typed.profile or config.profile))
        looked = _look(draft, config)
    try:
        draft.write()
    except OSError as fault:
        refuse(fault)
    steps = _next(stage, draft)
    faults = list(values.faults(draft.text, parameters))
    (_print_json if as_json else _print)(draft, looked, steps, faults)
    refuse_any(f"{draft.path}: {fault}" for fault in faults)
    if any(one.grade is Grade.FAILED for one in looked):
        raise typer.Exit(NO)


def _check(path: Path, parameters: Mapping[str, Parameter]) -> None:
    try:
        text = file.read(path)
    except FileNotFoundError:
        refuse(f"{path} does not exist: `postern init` asks two questions and writes it")
    except file.Unreadable as fault:
        refuse(f"{path}: {fault}")
    refuse_any(f"{path}: {fault}" for fault in values.faults(text, parameters))
    typer.echo(f"{path}: complete, {len(parameters)} parameters")


def _look(draft: Draft, config: SamConfig) -> list[Examined]:
    """Examine the account and DNS, and put what follows into a new file. The relay's stack needs no examination."""
    if "OwnerAddress" not in draft.parameters:
        return []
    from .examinations.beginning import Beginning, examine  # noqa: PLC0415 (the check needs none of it)
    from .surroundings import Surroundings  # noqa: PLC0415

    now = draft.values
    around = Surroundings(
        values.domains(now), config.stack or "", now.get("MailFromLabel", ""), now.get("DmarcPolicy", "")
    )
    begun = Beginning(around, draft.parameters, receiving_regions(config.template), None if draft.is_new else now)
    found = list(examine(begun))
    draft.choose(begun.proposed)
    return found


def _next(stage: str, draft: Draft) -> list[tuple[str, str]]:
    """The next commands, and how long each takes."""
    where = {"AWS_REGION": Where.typed.region, "AWS_PROFILE": Where.typed.profile}
    before = "".join(f"{name}={shlex.quote(value)} " for name, value in where.items() if value)
    of_stage = "" if stage == DEFAULT else f" STAGE={stage}"
    steps = [
        (
            f"{before}make deploy{of_stage}",
            "8 minutes the first time; it shows the changes, and asks before it makes them",
        )
    ]
    if "OwnerAddress" in draft.parameters:
        domain, owner = values.domains(draft.values)[0], values.owner(draft.values)
        if stage != DEFAULT:
            before += f"POSTERN_ENV={stage} "
        steps += [
            (
                f"{before}postern dns --wait",
                "minutes if the stack writes the records, else as long as it takes you to paste them",
            ),
            (f"{before}postern alias add info@{domain} {owner}", "at once"),
            (f"{before}postern doctor", "ten seconds; says whether all is well, and what to do"),
        ]
    return steps


def _print_json(draft: Draft, looked: list[Examined], steps: list[tuple[str, str]], faults: list[str]) -> None:
    told = {
        "file": str(draft.path),
        "values": draft.values,
        "added": draft.added,
        "removed": draft.removed,
        "faults": faults,
        "looked": [as_object(one) for one in looked],
        "next": [{"command": command, "takes": takes} for command, takes in steps],
    }
    typer.echo(json.dumps(told))


def _print(draft: Draft, looked: list[Examined], steps: list[tuple[str, str]], faults: list[str]) -> None:
    say = paragraphs()
    if looked:
        show(looked, whole=True)
        say("", 0, None)
    for line in draft.news():
        say(f"{draft.path}: {line}", 0, None)
    said = "is unchanged" if draft.text == draft.there else "is written"
    say(
        f"{draft.path} {said}, with all {len(draft.parameters)} parameters; docs/parameters.md explains each.",
        0,
        None,
    )
    if faults:
        return
    say("", 0, None)
    say("Next:", 0, None)
    for command, takes in steps:
        say(command, 2, "bold")
        say(takes, 6, None)
