"""`postern send-as`: SMTP passwords of SES's, each of which sends as one alias from any mail program."""

import json
import os
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from postern_mail.errors import Temporary
from postern_mail.lookup import follow
from postern_mail.mail import aliases
from postern_mail.mail.address import Address, InvalidAddress
from postern_mail.mail.days import A_DAY, moment
from postern_mail.mail.rows import Rows

from .options import DryRunOption, JsonOption, StackOption
from .output.mail_programs import steps
from .output.terminal import printer
from .stack import Stack, stack_name
from .status import Refused, WrongUse, exits, warn

if TYPE_CHECKING:
    from .aws.send_as import Password, SendAsUsers, User

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="SMTP passwords that send as one alias each: add, list, rotate, remove.",
)

AliasArgument = Annotated[str, typer.Argument(metavar="ADDRESS", help="An alias, info@example.com.")]
_TLS = 465  # docs.aws.amazon.com/ses, "Connecting to an Amazon SES SMTP endpoint"


@app.command()
def add(
    address: AliasArgument, stack: StackOption = None, dry_run: DryRunOption = False, as_json: JsonOption = False
) -> None:
    """Make a password that sends as one alias alone.

    It is shown this once, with the steps for mail programs. It is an IAM user, which the stack does not take with it
    when it goes. Exit status 1 if the address is no alias, or has a password already.
    """
    with exits():
        live = Stack.find(stack)
        users, alias = _users(_name(live)), _alias(live, address)
        found = _found(users, alias)
        if found and found.keys:
            raise Refused(
                f"{alias} has a password already, of {moment(found.keys[0].made_at)}: `postern send-as rotate {alias}`"
                " makes another"
            )
        warn(_warnings(live, alias))
        made = None if dry_run else users.make(alias)
    _show(alias, made, as_json=as_json)


@app.command("ls", hidden=True)
@app.command("list")
def list_(stack: StackOption = None, as_json: JsonOption = False) -> None:
    """List the passwords, with their age and their faults.

    Also of a stack that is gone, by --stack. With --json one object a line: address, iam_user, keys (user, made_at,
    active), faults.
    """
    with exits():
        found = _all(_users(_name_of(stack)))
    say = printer()
    if not found and not as_json:
        typer.echo("nothing to list", err=True)
    for one in found:
        if as_json:
            typer.echo(json.dumps(_object(one)))
            continue
        say(f"{one.address or one.name}  {_ages(one)}", None)
        for fault in one.faults:
            say(f"  {fault}", "red")


@app.command()
def rotate(
    address: AliasArgument,
    keep_old: Annotated[
        bool, typer.Option("--keep-old", help="The password before works on, until the next rotation.")
    ] = False,
    stack: StackOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make another password, and end those before.

    It also binds the user to its address again, if that was loosened. Exit status 1 if the user does not exist.
    """
    with exits():
        live = Stack.find(stack)
        users, alias = _users(_name(live)), _alias(live, address)
        found = _found(users, alias)
        if found is None or found.address is None:
            raise Refused(f"nothing sends as {alias} yet: `postern send-as add {alias}`")
        made = None if dry_run else users.rotate(found)
    _show(alias, made, as_json=as_json)
    with exits():  # once it is seen: it cannot be shown again
        if made and not keep_old:
            users.end(found)


@app.command("rm", hidden=True)
@app.command()
def remove(
    address: Annotated[str | None, typer.Argument(metavar="[ADDRESS]", help="The alias.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of the stack, as it is torn down.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --all: do not ask first.")] = False,
    stack: StackOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """End every password of an alias.

    Its IAM user goes, and mail programs that have one can no longer send. Also of a stack that is gone, by --stack.
    Exit status 1 if it does not exist.
    """
    with exits():
        if (address is None) != everything:
            raise WrongUse("say an ADDRESS, or --all")
        users = _users(_name_of(stack))
        going = _all(users) if address is None else _one(users, address)
        if everything and going and not (yes or dry_run):
            listed = ", ".join(str(one.address or one.name) for one in going)
            typer.confirm(f"End what sends as {listed}?", abort=True, err=True)
        say = printer()
        if not going and not as_json:
            typer.echo("nothing to remove", err=True)
        for one in going:
            if not dry_run:
                users.remove(one.name)
            told = {"address": str(one.address or ""), "iam_user": one.name, "written": not dry_run}
            line = f"{one.address or one.name}  {'would be' if dry_run else 'is'} removed"
            say(json.dumps(told) if as_json else line, None)


def _all(users: "SendAsUsers") -> "list[User]":
    return sorted(users.all(), key=lambda one: str(one.address or one.name))


def _one(users: "SendAsUsers", address: str) -> "list[User]":
    """Raises Refused if there is none."""
    alias = _parsed(address)
    found = _found(users, alias)
    if found is None:
        raise Refused(f"nothing sends as {alias}: `postern send-as list` names what there is")
    return [found]


def _users(name: str) -> "SendAsUsers":
    from .aws.send_as import SendAsUsers  # noqa: PLC0415 (boto3 takes half a second)

    return SendAsUsers(name)


def _found(users: "SendAsUsers", alias: Address) -> "User | None":
    """Raises Refused for a user of somebody else's."""
    from .aws.send_as import Foreign  # noqa: PLC0415 (boto3 takes half a second)

    try:
        return users.find(alias)
    except Foreign as fault:
        raise Refused(str(fault)) from fault


def _name(live: Stack) -> str:
    """The stack's name, by which its functions know the users. Raises WrongUse without one."""
    name = live.deployed or os.environ.get("POSTERN_STACK", "").strip()
    if not name:
        raise WrongUse("which stack? Say --stack NAME, or set POSTERN_STACK: the users are named after it")
    return name


def _name_of(option: str | None) -> str:
    """The same, also of a stack that is gone: its users are not. Raises WrongUse, Temporary."""
    try:
        return _name(Stack.find(option))
    except Temporary as failure:
        name = stack_name(option)
        if name and "does not exist" in str(failure):
            return name
        raise


def _parsed(text: str) -> Address:
    try:
        return Address.parse(text)
    except InvalidAddress as fault:
        raise WrongUse(str(fault)) from fault


def _alias(live: Stack, text: str) -> Address:
    """The address, if mail to it arrives. Raises Refused with what to do, WrongUse, Temporary."""
    alias = _parsed(live.with_domain(text))
    if alias.domain not in live.domains:
        raise Refused(
            f"{alias.domain} is no domain of the stack, which has {', '.join(sorted(live.domains))}: add it to Domains"
            " in owner.yaml and deploy, or send as an address of another"
        )
    rows, now = Rows(), time.time()
    follow(live.tables, [alias], rows, live.domains, now)
    found = aliases.resolve(alias, rows, live.domains, now)
    if found.outcome not in _SENDS:
        todo = _TODO.get(found.outcome, "`postern resolve {alias}` says more").format(alias=alias)
        raise Refused(f"{alias} is {_NOT.get(found.outcome, found.outcome)}, so answers to it reach no one: {todo}")
    if found.outcome == "discard":
        warn([f"mail to {alias} is thrown away: answers to it reach no one, nor does the code that Gmail sends"])
    return alias


_SENDS = ("forward", "discard")
_NOT = {"unknown": "no alias", "error": "an alias whose row cannot be understood"}
_TODO = {
    "unknown": "`postern alias add {alias} MAILBOX` first",
    "disabled": "`postern alias enable {alias}` first",
    "expired": "`postern alias set {alias} --no-expires` first",
}


def _warnings(live: Stack, alias: Address) -> list[str]:
    """What would keep such mail back, or its bounces from being told. Raises Temporary."""
    from .aws import account  # noqa: PLC0415 (boto3 takes half a second)

    found = account.identity(alias.domain)
    if found is None or not found.verified:
        return [f"SES does not send for {alias.domain} yet: `postern dns` says what is missing"]
    wanted = f"{_name(live)}-forward"
    if found.configuration_set != wanted:
        return [
            f"{alias.domain} has {found.configuration_set or 'no configuration set'} in SES and not {wanted}, so that"
            f" you do not hear of what comes back: `postern domain show {alias.domain}`"
        ]
    return []


def _show(alias: Address, made: "Password | None", *, as_json: bool) -> None:
    """The one time that the password is seen; None is a dry run."""
    from .aws.send_as import STARTTLS  # noqa: PLC0415 (boto3 takes half a second)

    if made is None:
        typer.echo(json.dumps({"address": str(alias), "written": False}) if as_json else f"would send as {alias}")
        return
    if as_json:
        told = {"address": str(alias), "server": made.server, "port": made.port, "user": made.user}
        typer.echo(json.dumps({**told, "password": made.password, "written": True}))
        return
    typer.echo(f"sends as {alias}, in about a minute. The password is shown this once, and kept nowhere.\n")
    typer.echo(f"  server    {made.server}")
    amazon = made.port == STARTTLS
    typer.echo(f"  port      {made.port} with STARTTLS{f', or {_TLS} with TLS' if amazon else ''}")
    typer.echo(f"  user      {made.user}")
    typer.echo(f"  password  {made.password}")
    if not amazon:
        typer.echo(
            "\nThe server is POSTERN_SUBMISSION's, for programs on this machine; accept its certificate when they ask."
        )
    for program, listed in steps(str(alias), made.server, made.user, made.port).items():
        typer.echo(f"\n{program}")
        for number, step in enumerate(listed, 1):
            typer.echo(f"  {step}" if program == "mutt" else f"  {number}. {step}")
    typer.echo("\nHow such mail fares: docs/send-as.md")


def _ages(user: "User") -> str:
    if not user.keys:
        return "no password"
    days = [f"{(time.time() - key.made_at) / A_DAY:.0f}{'' if key.active else ' (inactive)'}" for key in user.keys]
    return f"{'password' if len(days) == 1 else 'passwords'} {' and '.join(days)} days old"


def _object(user: "User") -> dict[str, Any]:
    keys = [{"user": one.id, "made_at": one.made_at, "active": one.active} for one in user.keys]
    return {
        "address": str(user.address or ""), "iam_user": user.name, "keys": keys, "faults": list(user.faults)
    }  # fmt: skip
