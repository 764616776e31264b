"""`postern send-as`: SES SMTP passwords that let any mail program send as one alias each."""

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
from .status import Refused, UsageError, exits, warn

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
    """Create a password that can send as one alias only.

    It is shown once, with the steps for mail programs. It belongs to an IAM user, which stays when you delete the
    stack. Exit status 1 if the address is not an alias, or already has a password.
    """
    with exits():
        live = Stack.find(stack)
        users, alias = _users(_name(live)), _alias(live, address)
        found = _found(users, alias)
        if found and found.keys:
            raise Refused(
                f"{alias} already has a password, from {moment(found.keys[0].made_at)};"
                f" `postern send-as rotate {alias}` replaces it"
            )
        warn(_warnings(live, alias))
        made = None if dry_run else users.make(alias)
    _show(alias, made, as_json=as_json)


@app.command("ls", hidden=True)
@app.command("list")
def list_(stack: StackOption = None, as_json: JsonOption = False) -> None:
    """List the passwords, how old they are, and what is wrong with any.

    It works for a deleted stack too, with --stack. With --json, one object per line: address, iam_user, keys (user,
    made_at, active), faults.
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
        bool, typer.Option("--keep-old", help="Keep the old password working until the next rotation.")
    ] = False,
    stack: StackOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Create a new password, and revoke the old ones.

    It also restricts the user to its address again, if someone removed that. Exit status 1 if the user does not exist.
    """
    with exits():
        live = Stack.find(stack)
        users, alias = _users(_name(live)), _alias(live, address)
        found = _found(users, alias)
        if found is None or found.address is None:
            raise Refused(f"{alias} has no password yet: `postern send-as add {alias}`")
        made = None if dry_run else users.rotate(found)
    _show(alias, made, as_json=as_json)
    with exits():  # only after it was shown: it cannot be shown again
        if made and not keep_old:
            users.end(found)


@app.command("rm", hidden=True)
@app.command()
def remove(
    address: Annotated[str | None, typer.Argument(metavar="[ADDRESS]", help="The alias.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All passwords of the stack, to tear it down.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --all: do not ask first.")] = False,
    stack: StackOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Revoke every password of an alias.

    It deletes the IAM user, and mail programs that use a password of it can no longer send. It works for a deleted
    stack too, with --stack. Exit status 1 if there is no password.
    """
    with exits():
        if (address is None) != everything:
            raise UsageError("give an ADDRESS, or --all")
        users = _users(_name_of(stack))
        going = _all(users) if address is None else _one(users, address)
        if everything and going and not (yes or dry_run):
            listed = ", ".join(str(one.address or one.name) for one in going)
            typer.confirm(f"Revoke the passwords of {listed}?", abort=True, err=True)
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
    """The user of one alias. Raises Refused if there is none."""
    alias = _parsed(address)
    found = _found(users, alias)
    if found is None:
        raise Refused(f"{alias} has no password: `postern send-as list` shows all")
    return [found]


def _users(name: str) -> "SendAsUsers":
    from .aws.send_as import SendAsUsers  # noqa: PLC0415 (boto3 takes half a second)

    return SendAsUsers(name)


def _found(users: "SendAsUsers", alias: Address) -> "User | None":
    """The user of an alias, None without one. Raises Refused if a user of that name is not Postern's."""
    from .aws.send_as import Foreign  # noqa: PLC0415 (boto3 takes half a second)

    try:
        return users.find(alias)
    except Foreign as fault:
        raise Refused(str(fault)) from fault


def _name(live: Stack) -> str:
    """The stack's name, which the IAM users carry. Raises UsageError without one."""
    name = live.deployed or os.environ.get("POSTERN_STACK", "").strip()
    if not name:
        raise UsageError("which stack? Give --stack NAME, or set POSTERN_STACK: the IAM users are named after it")
    return name


def _name_of(option: str | None) -> str:
    """The same, even for a deleted stack, whose users may remain. Raises UsageError, Temporary."""
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
        raise UsageError(str(fault)) from fault


def _alias(live: Stack, text: str) -> Address:
    """The address, if mail to it arrives. Raises Refused that says what to do, UsageError, Temporary."""
    alias = _parsed(live.with_domain(text))
    if alias.domain not in live.domains:
        raise Refused(
            f"{alias.domain} is not one of the stack's domains, {', '.join(sorted(live.domains))}: add it to Domains"
            " in owner.yaml and deploy, or choose an address of another domain"
        )
    rows, now = Rows(), time.time()
    follow(live.tables, [alias], rows, live.domains, now)
    found = aliases.resolve(alias, rows, live.domains, now)
    if found.outcome not in _SENDS:
        todo = _TODO.get(found.outcome, "`postern resolve {alias}` says more").format(alias=alias)
        raise Refused(f"{alias} is {_NOT.get(found.outcome, found.outcome)}, so answers to it reach no one: {todo}")
    if found.outcome == "discard":
        warn([f"mail to {alias} is discarded: answers reach no one, nor does the confirmation code that Gmail sends"])
    return alias


_SENDS = ("forward", "discard")
_NOT = {"unknown": "not an alias", "error": "an alias whose row cannot be understood"}
_TODO = {
    "unknown": "`postern alias add {alias} MAILBOX` first",
    "disabled": "`postern alias enable {alias}` first",
    "expired": "`postern alias set {alias} --no-expires` first",
}


def _warnings(live: Stack, alias: Address) -> list[str]:
    """What would stop such mail, or hide its bounces from the owner. Raises Temporary."""
    from .aws import account  # noqa: PLC0415 (boto3 takes half a second)

    found = account.identity(alias.domain)
    if found is None or not found.verified:
        return [f"SES does not send for {alias.domain} yet: `postern dns` shows what is missing"]
    wanted = f"{_name(live)}-forward"
    if found.configuration_set != wanted:
        return [
            f"{alias.domain} has {found.configuration_set or 'no configuration set'} in SES, not {wanted}, so"
            f" Postern does not see its bounces: `postern domain show {alias.domain}`"
        ]
    return []


def _show(alias: Address, made: "Password | None", *, as_json: bool) -> None:
    """Print the password, the only time that it is shown; None for a dry run."""
    from .aws.send_as import STARTTLS  # noqa: PLC0415 (boto3 takes half a second)

    if made is None:
        typer.echo(
            json.dumps({"address": str(alias), "written": False}) if as_json else f"would create a password for {alias}"
        )
        return
    if as_json:
        told = {"address": str(alias), "server": made.server, "port": made.port, "user": made.user}
        typer.echo(json.dumps({**told, "password": made.password, "written": True}))
        return
    typer.echo(f"This password sends as {alias}, in about a minute. It is shown once and stored nowhere.\n")
    typer.echo(f"  server    {made.server}")
    amazon = made.port == STARTTLS
    typer.echo(f"  port      {made.port} with STARTTLS{f', or {_TLS} with TLS' if amazon else ''}")
    typer.echo(f"  user      {made.user}")
    typer.echo(f"  password  {made.password}")
    if not amazon:
        typer.echo(
            "\nThis server (POSTERN_SUBMISSION) is for programs on this machine; accept its certificate when they ask."
        )
    for program, listed in steps(str(alias), made.server, made.user, made.port).items():
        if program == "Gmail" and not amazon:
            continue  # it is not on this machine
        typer.echo(f"\n{program}")
        for number, step in enumerate(listed, 1):
            typer.echo(f"  {step}" if program == "mutt" else f"  {number}. {step}")
    typer.echo("\nWhat happens to such mail: docs/send-as.md")


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
