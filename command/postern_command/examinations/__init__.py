"""What `postern doctor` looks at, in the order in which it says it. A group is a heading, in one place of the list."""

from postern_mail.aws.watch import examinations as shared
from postern_mail.examination import Examination

from ..stack import Stack
from . import domains, people

EXAMINATIONS: tuple[Examination[Stack], ...] = (
    *domains.EXAMINATIONS,
    *shared.EXAMINATIONS,
    *people.EXAMINATIONS,
)
