"""Questions to the DNS and their answers as decisions see them: values, NONE, or a failure, never a finding."""

from collections.abc import Mapping

from .records import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """A name and a type of record: A, AAAA or MX."""

    name: str
    kind: str = "A"


@dataclass(frozen=True, slots=True)
class Answer:
    """The values of the records: addresses, or names of mail servers without the final dot, "." for the null MX.

    `failed` says why there is no answer, "" if there is one.
    """

    values: tuple[str, ...] = ()
    failed: str = ""


NONE = Answer()  # there is no such name, or no such record
Answers = Mapping[Question, Answer]  # what came in time
