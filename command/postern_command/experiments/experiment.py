"""The types of an experiment and its answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conversation import Replies
    from .stage import Stage


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found, in one sentence; "" if it could not be tested, for the reason in `untried`."""

    found: str = ""
    untried: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    """A message as in SES's notification. `rule` is the stage's rule that took it, `sender` the value of
    `mail.source`, None if that is missing."""

    rule: str
    sender: str | None
    recipients: tuple[str, ...]
    content: bytes


@dataclass(frozen=True, slots=True)
class Experiment:
    """One question about SES. `quirk` is its heading in docs/quirks.md, `cost` is in USD, as docs/costs.md counts.

    An experiment by the API has `run`. One by SMTP has `judge`, which gets the replies and the message that arrived;
    either may be None.
    """

    name: str
    quirk: str
    sends: str
    looks_for: str
    cost: float
    run: "Callable[[Stage], Answer] | None" = None
    judge: "Callable[[Replies | None, Received | None], Answer] | None" = None

    @property
    def way(self) -> str:
        """`api` or `smtp`."""
        return "api" if self.run else "smtp"


def line(experiment: Experiment, answer: Answer, day: str, region: str) -> str:
    """The line for docs/quirks.md, "" if nothing was found."""
    return f"- **{experiment.quirk}**: {answer.found} Seen on {day} in {region}." if answer.found else ""


def as_json(experiment: Experiment, answer: Answer, day: str, region: str) -> Mapping[str, str]:
    """The same, for --json."""
    return {
        "experiment": experiment.name,
        "way": experiment.way,
        "found": answer.found,
        "untried": answer.untried,
        "line": line(experiment, answer, day, region),
    }


def cost(experiments: Sequence[Experiment]) -> float:
    """The total cost in USD."""
    return sum(one.cost for one in experiments)
