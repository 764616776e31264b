"""What the pages work on: one stack, and its tables, live or in a file."""

import shlex
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from postern_mail.mail.plan import Policy
from postern_mail.mail.rows import Row, TableName
from postern_mail.ports.forward import Tables

from ..stack import Stack
from ..tables.change import Change
from ..tables.differences import rows_of
from ..tables.editor import write_live
from ..tables.file import TablesFile
from .file_edits import write_file
from .looked import Looked

if TYPE_CHECKING:
    from postern_mail.aws.destinations import DynamoDestinations
    from postern_mail.aws.forward.mail_store import S3MailStore
    from postern_mail.aws.watch.history import History

    from ..aws.table_rows import TableRows


class Edited(Protocol):
    """Where rows are read and written."""

    @property
    def tables(self) -> Tables:
        """The current rows, by key."""
        ...

    def scan(self, table: TableName) -> Iterator[Row]:
        """All rows of a table."""
        ...

    def write(self, change: Change, *along: Change) -> None:
        """Write these changes together, if all rows are unchanged since they were read. Raises Overtaken, Temporary."""
        ...


@dataclass(frozen=True)
class LiveTables:
    """The live tables."""

    stack: Stack
    rows: "TableRows"
    tables: Tables

    def scan(self, table: TableName) -> Iterator[Row]:
        """All rows of a table. Raises Temporary."""
        return self.rows.scan(table)

    def write(self, change: Change, *along: Change) -> None:
        """Write rows with who writes them and when. Raises Overtaken, Temporary."""
        write_live(change, self.stack, *along)


@dataclass(frozen=True)
class FileTables:
    """A tables file, read again each time, since an editor may have it open too. `lock` is held while writing."""

    path: Path
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def tables(self) -> TablesFile:
        """The current file. Raises BadTablesFile."""
        return TablesFile.load(self.path)

    def scan(self, table: TableName) -> Iterator[Row]:
        """All rows of a table. Raises BadTablesFile."""
        return iter(rows_of(self.tables, table).values())

    def write(self, change: Change, *along: Change) -> None:
        """Change only these rows of the file. Raises Overtaken, BadTablesFile."""
        with self.lock:
            write_file(self.path, change, *along)


@dataclass(frozen=True)
class Desk:
    """One user's workplace. `option` is the --stack option, which the commands shown need too."""

    stack: Stack
    option: str | None = None
    file: Path | None = None
    read_only: bool = False
    doctor: Looked = field(default_factory=Looked)

    def command(self, *words: str) -> str:
        """The equivalent command, quoted for a shell."""
        return shlex.join(("postern", *words, *(("--stack", self.option) if self.option else ())))

    @cached_property
    def policy(self) -> Policy:
        """The stack's policy for all mail. Raises UsageError."""
        return self.stack.policy

    @cached_property
    def live(self) -> LiveTables:
        """The live tables. Raises Temporary."""
        return LiveTables(self.stack, self.stack.rows, self.stack.tables)

    @cached_property
    def edited(self) -> Edited:
        """The tables that the pages show and edit: the file if there is one."""
        return FileTables(self.file) if self.file else self.live

    @cached_property
    def ledger(self) -> "History":
        """The ledger."""
        return self.stack.ledger

    @cached_property
    def bucket(self) -> "S3MailStore":
        """The stored messages."""
        return self.stack.bucket

    @cached_property
    def destinations(self) -> "DynamoDestinations":
        """The health of destinations."""
        return self.stack.destinations
