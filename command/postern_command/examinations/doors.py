"""Whether Lambda has room for the doors: functions with a public URL, which reserve concurrency. It is checked before a
deployment, which would fail (postern_mail.aws.room)."""

from collections.abc import Iterator, Mapping

from postern_mail.examination import Examination, Finding, Grade

from ..owner import file
from ..samconfig import SamConfig, environment
from ..stack import Stack

DOORS = ("Links", "AliasApi")  # the parameters that open a door each


def fit(wanted: Mapping[str, str], open_: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the doors that `wanted` opens fit, beside the ones already open in the deployed stack."""
    opened = [name for name in DOORS if open_.get(name) == "true"]
    new = [name for name in DOORS if wanted.get(name) == "true" and name not in opened]
    if opened:
        yield Finding(f"open: {', '.join(opened)}", grade=Grade.OK)
    if not new:
        if not opened:
            yield Finding(f"no door is open to the internet ({', '.join(DOORS)})", grade=Grade.OK)
        return
    from ..aws import account  # noqa: PLC0415 (boto3 takes half a second)

    why = account.lacks_room(new)
    if why:
        yield Finding(why, f"leave {', '.join(new)} false in owner.yaml until then")
    else:
        yield Finding(f"Lambda has room for {', '.join(new)}", grade=Grade.OK)


def _doors(where: Stack) -> Iterator[Finding]:
    from ..aws import reach  # noqa: PLC0415 (boto3 takes half a second)

    deployed: Mapping[str, str] = reach.described(where.deployed)[1] if where.deployed else {}
    yield from fit(_wanted(where) or deployed, deployed)


def _wanted(where: Stack) -> Mapping[str, str]:
    """The values of the file that the stack is deployed from; empty if it cannot be read, which the examination of
    owner.yaml reports."""
    config = SamConfig.load(environment())
    if config.owner is None or config.stack != where.deployed:
        return {}
    try:
        return file.values(file.read(config.owner))
    except (FileNotFoundError, file.Unreadable):
        return {}


EXAMINATIONS: tuple[Examination[Stack], ...] = (Examination("The stack", "doors", _doors),)
