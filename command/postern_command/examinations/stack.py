"""The stack compared with the files that it is deployed from: values, version, and the age of credentials."""

import time
from collections.abc import Iterator

from postern_mail import __version__
from postern_mail.examination import Examination, Finding, Grade
from postern_mail.lookup import follow
from postern_mail.mail import aliases
from postern_mail.mail.address import Address
from postern_mail.mail.days import A_DAY
from postern_mail.mail.rows import Rows

from ..owner import file, values
from ..owner.parameters import load
from ..samconfig import SamConfig, environment
from ..stack import Stack

GROUP = "The stack"
RELAY_DAYS = 75  # the relay's key is rotated every 30 days, and the previous one works for another 30
SEND_AS_DAYS = 365
_RELAY, _SEND_AS = "SmtpUser", "ses-smtp-user"  # in the names of the users: the relay's, and those of SES's console


def owner_file(where: Stack) -> Iterator[Finding]:
    """Whether owner.yaml is complete, and matches what is deployed."""
    config = SamConfig.load(environment())
    if config.owner is None or config.stack != where.deployed:
        yield Finding("only checked in the folder that this stack is deployed from", grade=Grade.NOT_CHECKED)
        return
    try:
        text = file.read(config.owner)
    except FileNotFoundError:
        yield Finding(f"{config.owner} does not exist", "`postern init` asks two questions and writes it")
        return
    except file.Unreadable as fault:
        yield Finding(f"{config.owner}: {fault}", "fix it, or start over with `postern init`")
        return
    faults = list(values.faults(text, load(config.template)))
    yield from (Finding(f"{config.owner}: {fault}", "`postern init`, or edit the line") for fault in faults)
    if not faults:
        yield from _differences(file.values(text), where)


def _differences(told: dict[str, str], where: Stack) -> Iterator[Finding]:
    from ..aws import reach  # noqa: PLC0415 (boto3 takes half a second)

    _, deployed = reach.described(where.deployed)
    for name, value in told.items():
        if name in deployed and deployed[name] != value:
            yield Finding(
                f"{name} is {value!r} in the file, but {deployed[name]!r} in the stack",
                "`make deploy`, or change the file back",
                Grade.WARNING,
            )
    yield Finding("complete", grade=Grade.OK)


def version(where: Stack) -> Iterator[Finding]:
    """Whether the functions run the code that this command belongs to."""
    there = where["version"]
    if there == __version__:
        yield Finding(f"{there}, the same as this command", grade=Grade.OK)
    else:
        yield Finding(
            f"the functions run {there}, and this command is {__version__}",
            "deploy this version (`make deploy`), or install the command of that version",
            Grade.WARNING,
        )


def credentials(where: Stack) -> Iterator[Finding]:
    """The age of the SMTP passwords: the relay's, and those that send as an alias."""
    from ..aws import account  # noqa: PLC0415 (boto3 takes half a second)

    for user, days in account.key_ages((_RELAY, _SEND_AS)):
        is_relay = _RELAY in user
        if days <= (RELAY_DAYS if is_relay else SEND_AS_DAYS):
            yield Finding(f"{user}: {days:.0f} days old", grade=Grade.OK)
        elif is_relay:
            yield Finding(f"{user}: {days:.0f} days old, so its rotation does not run", 'docs/relay.md, "Credentials"')
        else:
            yield Finding(
                f"{user}: {days:.0f} days old",
                "create another in the SES console (SMTP settings), use it in the mail program, delete this one",
                Grade.WARNING,
            )
    if where.deployed:
        yield from _sending_as(where)


def _sending_as(where: Stack) -> Iterator[Finding]:
    from ..aws.send_as import SendAsUsers  # noqa: PLC0415 (boto3 takes half a second)

    users = list(SendAsUsers(where.deployed).all())
    yield from _without_alias(where, [user.address for user in users if user.address])
    for user in users:
        who, now = user.address or user.name, time.time()
        rotate = f"`postern send-as rotate {user.address}`" if user.address else "delete the user in the IAM console"
        for fault in user.faults:
            yield Finding(f"password of {who}: {fault}", rotate)
        days = max(((now - key.made_at) / A_DAY for key in user.keys if key.active), default=0.0)
        old = days > SEND_AS_DAYS
        yield Finding(
            f"password of {who}: {days:.0f} days old", rotate if old else "", Grade.WARNING if old else Grade.OK
        )


def _without_alias(where: Stack, addresses: list[Address]) -> Iterator[Finding]:
    """Passwords for an address whose mail reaches no one."""
    if not addresses:
        return
    rows, now = Rows(), time.time()
    follow(where.tables, addresses, rows, where.domains, now)
    for one in addresses:
        found = aliases.resolve(one, rows, where.domains, now)
        if found.outcome not in ("forward", "discard"):
            yield Finding(
                f"password of {one}: the address is {found.outcome}, so answers to it reach no one",
                f"`postern send-as remove {one}`, or make it an alias again",
                Grade.WARNING,
            )


EXAMINATIONS: tuple[Examination[Stack], ...] = (
    Examination(GROUP, "owner.yaml", owner_file),
    Examination(GROUP, "version", version, ("version",)),
    Examination(GROUP, "SMTP credentials", credentials),
)
