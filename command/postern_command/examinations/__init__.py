"""What `postern doctor` looks at, in the order in which it says it. A group is a heading, in one place of the list."""

from postern_mail.examination import Examination

from ..stack import Stack
from . import mail

EXAMINATIONS: tuple[Examination[Stack], ...] = (*mail.EXAMINATIONS,)
