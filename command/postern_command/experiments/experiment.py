"""What an experiment is, and its answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conversation import Replies
    from .stage import Stage


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found, in one sentence; "" where it could not be tried, for the reason in `untried`."""

    found: str = ""
    untried: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    """A message as SES notified of it. `rule` is that of the stage whose topic it came to, `sender` what `mail.source`
    says, None where it is not there."""

    rule: str
    sender: str | None
    recipients: tuple[str, ...]
    content: bytes


@dataclass(frozen=True, slots=True)
class Experiment:
    """One question. `quirk` is its heading in docs/quirks.md, `cost` in USD, as docs/costs.md counts.

    By the API `run` does all of it. By SMTP `talk` has the conversation and `judge` reads what was replied and what
    arrived; either is None where only the other is known.
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
        """api or smtp."""
        return "api" if self.run else "smtp"


def line(experiment: Experiment, answer: Answer, day: str, region: str) -> str:
    """What docs/quirks.md is to say, "" where nothing was found."""
    return f"- **{experiment.quirk}**: {answer.found} Seen on {day} in {region}." if answer.found else ""


def as_json(experiment: Experiment, answer: Answer, day: str, region: str) -> Mapping[str, str]:
    """The same, for programs."""
    return {
        "experiment": experiment.name,
        "way": experiment.way,
        "found": answer.found,
        "untried": answer.untried,
        "line": line(experiment, answer, day, region),
    }


def cost(experiments: Sequence[Experiment]) -> float:
    """USD, of all together."""
    return sum(one.cost for one in experiments)
