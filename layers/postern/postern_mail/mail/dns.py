"""DNS queries and their answers as decisions see them: values, NONE, or a failure, which is never a finding."""

from collections.abc import Mapping

from .records import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """The name and record type of a query: A, AAAA or MX."""

    name: str
    kind: str = "A"


@dataclass(frozen=True, slots=True)
class Answer:
    """The values of the records: addresses, or names of mail servers without the final dot, "." for the null MX.

    `failed` says why there is no answer, "" if there is one.
    """

    values: tuple[str, ...] = ()
    failed: str = ""


NONE = Answer()  # no such name, or no such record
Answers = Mapping[Question, Answer]  # what came in time
