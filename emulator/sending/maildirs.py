"""A Maildir for each destination with what SES accepted, byte for byte; only line endings can be changed."""

import mailbox
import os
import threading
from pathlib import Path


class Maildirs:
    """Maildirs under one folder, each named by its address.

    `as_files`: lines end in LF, as a local delivery agent writes them and mail readers on Unix expect.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.as_files = False
        self._delivering = threading.Lock()  # mailbox.Maildir numbers its files without one

    def deliver(self, destination: str, raw: bytes) -> None:
        """Put a message into the destination's Maildir."""
        with self._delivering:
            self.folder.mkdir(parents=True, exist_ok=True)
            stored = raw.replace(b"\r\n", b"\n") if self.as_files else raw
            mailbox.Maildir(self.path(destination), create=True).add(stored)

    def messages(self, destination: str) -> list[bytes]:
        """The messages a destination got, oldest first."""
        new = self.path(destination) / "new"  # made after the folder it is in
        if not new.is_dir():
            return []
        files = sorted(new.iterdir(), key=lambda file: file.stat().st_mtime_ns)
        return [file.read_bytes() for file in files]

    def count(self, destination: str) -> int:
        """The number of new messages for a destination that no reader has moved yet."""
        new = self.path(destination) / "new"
        return len(os.listdir(new)) if new.is_dir() else 0

    def everybody(self) -> list[str]:
        """All destinations that ever got a message."""
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.is_dir() else []

    def path(self, destination: str) -> Path:
        """The path of a destination's Maildir."""
        return self.folder / destination.lower().replace("/", "_")
