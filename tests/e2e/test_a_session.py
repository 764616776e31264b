"""A new use's first day: real mail comes in, and what they type about it, each line by a shell and a process of its own."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from postern_command.tables.file import TablesFile

from emulator.receiving.authentication import GTUBE
from emulator.system import Emulator
from tests.pseudo_terminal import POSTERN, on_a_terminal

from .test_system import Post, message

# Bold and dim, and what draws the bar of `apply` (ECMA-48 8.3.117, 8.3.41, 8.3.22, and DEC's mode 25).
OURS = re.compile(r"\x1b\[(?:[0-9;]*m|2K|1A|\?25[lh])")
FRIEND, STRANGER = "friend@x.example", "stranger@y.example"


@dataclass(frozen=True)
class Mail:
    """A message that comes in; `name` stands for its id, cut as lists cut it."""

    name: str
    sender: str
    recipients: str
    body: bytes = b"hello\r\n"


class Retries:
    """What waits on the retry queue is tried."""


# What happens: mail, or (status, what is typed, what is said on standard output or error).
DAY: list[Mail | Retries | tuple[int, str, str]] = [
    # The first look.
    (0, "postern --version", "postern "),
    (0, "postern -h", "The tables:"),
    (0, "postern alias -h", "remove"),
    (2, "postern", "Usage: postern"),
    (2, "postern alias", "Usage: postern alias"),
    (2, "postern aliases list", "Did you mean 'alias'"),
    (0, "postern alias ls", "nothing to list"),
    (0, "postern log", "nothing to list"),
    (0, "postern quarantine list", "nothing to list"),
    (0, "postern destination list", "nothing to list"),
    # Aliases.
    Mail("early", FRIEND, "info@example.com"),
    (0, "postern log --state rejected", "<early> rejected info@example.com friend@x.example info@example.com is unk"),
    (0, "postern alias add info jane@dest.example", "+ alias info@example.com"),
    (1, "postern alias add info joe@dest.example", "already exists"),
    (0, "postern alias set info --add joe@dest.example --note team", '"joe@dest.example"'),
    (0, "postern alias show info", "enabled"),
    (1, "postern alias show nobody", "there is no alias nobody@example.com"),
    (0, "postern alias add @example.com catch@dest.example", "+ alias @example.com"),
    (1, "postern alias add info@exmaple.com x@dest.example", "write info@example.com"),
    (1, "postern alias add other@example.com nonsense", "is not a mail address"),
    (2, "postern alias add '#settings' x@dest.example", "no alias begins with #"),
    (0, "postern alias add old x@dest.example --expires 2020-01-01", "it has expired"),
    (2, "postern alias set old --expires soon", "write 2027-01-31"),
    (0, "postern alias set old --expires 2099-01-31", "expires_at = 2099-01-31 00:00:00 UTC"),
    (0, "postern alias disable old", "enabled = false"),
    (0, "postern alias list --disabled", "old@example.com"),
    (0, "postern alias rm old", "now goes by @example.com"),
    (0, "postern resolve info info+x", "info+x: forward jane@dest.example, joe@dest.example"),
    (1, "postern resolve x@gmail.example", "not one of our domains"),
    (0, "postern resolve anything", "catch@dest.example"),
    (0, "postern alias add sales joe@dest.example", "+ alias sales@example.com"),
    (0, "postern alias add gone bounce@dest.example", "+ alias gone@example.com"),
    (0, "postern alias add both joe@dest.example bounce@dest.example", "+ alias both@example.com"),
    (0, "postern alias add never permerror@dest.example", "+ alias never@example.com"),
    # Sender rules.
    (1, "postern sender add @spam.example REJECT", "write spam.example"),
    (1, "postern sender add spam.example BLOCK", "action 'BLOCK'"),
    (0, "postern sender add spam.example 'REJECT no thanks'", "+ sender rule spam.example"),
    (0, "postern sender add friend@x.example OK --scope info", "for info@example.com"),
    (0, "postern sender add '*' REJECT --scope info", "+ sender rule * for info@example.com"),
    (0, "postern screen a@deep.spam.example", "REJECT"),
    (0, "postern screen friend@x.example --alias info", "OK"),
    (0, "postern screen stranger@y.example --alias info@example.com", "REJECT (sender rule *"),
    (1, "postern sender remove friend@x.example", "there is one for info@example.com"),
    (0, "postern sender ls", "spam.example"),
    # Where is my mail?
    Mail("good", FRIEND, "info@example.com"),
    Mail("kept", FRIEND, "sales@example.com", GTUBE + b"\r\n"),
    Mail("closed", STRANGER, "info@example.com"),
    Mail("spam", "offers@deep.spam.example", "sales@example.com"),
    Mail("lost", FRIEND, "gone@example.com"),
    Mail("shared", FRIEND, "both@example.com sales@example.com"),
    Mail("failed", FRIEND, "never@example.com"),
    (0, "postern log", "<good>  delivered info@example.com"),
    (0, "postern log --wide | wc -l", "9"),
    (0, "postern log --state lost", "<lost>  lost gone@example.com"),
    (0, "postern log --state delivered --recipient sales", "<shared>  delivered sales@example.com"),
    (0, "postern log --recipient both", "<shared> forwarded"),
    (0, "postern log --recipient both", "bounce@dest.example is suspended"),
    (
        0,
        "postern log --state rejected --since 30m",
        "<closed> rejected info@example.com stranger@y.example sender rule *",
    ),
    (
        0,
        "postern log --sender deep.spam --since yesterday",
        "<spam> rejected sales@example.com offers@deep.spam.example sender rule spam.example",
    ),
    (2, "postern log --since banana", "write 30m"),
    (2, "postern log --state missing", "unknown state"),
    (0, "postern log --state failed", "<failed>  failed"),
    (0, "postern trace <lost>", "lost: bounce@dest.example"),
    (0, "postern trace <shared> --json", '"merged": ["joe@dest.example"]'),
    (1, "postern trace zzzzzzzz", "does not know message"),
    (2, "postern original <good>", "a stranger's message can control a terminal"),
    (0, "postern original <good> > mail.eml; cat mail.eml", "Subject: hi"),
    (0, "postern explain mail.eml --recipient info", "forward, because"),
    (0, "postern explain mail.eml --recipient info --sender a@spam.example", "reject"),
    (2, "postern explain mail.eml", "explain needs"),
    (
        0,
        "postern rewrite mail.eml --recipient info@example.com --destination jane@dest.example | cat",
        "via example.com",
    ),
    # Quarantine, and what waits for someone.
    (0, "postern quarantine ls", "<kept>  sales@example.com"),
    (0, "postern quarantine show <kept>", "spam FAIL"),
    (0, "postern quarantine release <kept> --dry-run", "would run again for sales@example.com"),
    (0, "postern quarantine release <kept>", "runs again for sales@example.com"),
    Retries(),
    (0, "postern log --state delivered --recipient sales@example.com", "<kept>  delivered"),
    (1, "postern quarantine release <kept>", "not quarantined"),
    (0, "postern alias set never jane@dest.example", '"jane@dest.example"'),
    (0, "postern replay <failed> --failed", "runs again for never@example.com"),
    Retries(),
    (0, "postern log --recipient never", "<failed>  forwarded"),
    (0, "postern redrive --dry-run", "there are no dead letters"),
    (1, "postern redrive <good>", "there is no dead letter for message"),
    (0, "postern destination list --all", "bounce@dest.example"),
    (0, "postern destination show bounce@dest.example", "the mailbox does not exist"),
    (0, "postern destination resume bounce@dest.example", "is resumed"),
    (0, "postern destination redeliver bounce@dest.example", "runs again for both@example.com"),
    Retries(),
    (0, "postern destination redeliver jane@dest.example", "it missed nothing"),
    (1, "postern destination resume jane@dest.example", "is not suspended"),
    # Settings, and the tables as a file.
    (0, "postern settings list", "largest_forward"),
    (0, "postern settings set largest_forward 25", "largest_forward = 25"),
    (1, "postern settings set largest_forward 99", "from 1 to 40"),
    (2, "postern settings set colour blue", "unknown setting"),
    (0, "postern settings get largest_forward", "25"),
    (0, "postern settings unset largest_forward", "- "),
    (0, "postern export --out tables.toml", ""),
    (2, "postern export --out tables.toml", "--force overwrites it"),
    (0, "postern plan tables.toml --check", "nothing to change"),
    (0, "sed -i s/thanks/way/ tables.toml; postern plan tables.toml", "1 to change"),
    (0, "postern apply tables.toml", "1 changed"),
    (0, "postern resolve info --tables tables.toml", "jane@dest.example"),
    (0, "postern rewrite mail.eml --recipient info --destination jane@dest.example --tables tables.toml | cat", "via"),
    (0, "sed -i s/action/akshun/ tables.toml", ""),
    (1, "postern apply tables.toml", "unknown attribute 'akshun'"),
]


@dataclass
class Session:
    """A terminal with the emulato's variables, in a folder of its own."""

    post: Post
    folder: Path
    ids: dict[str, str] = field(default_factory=dict)

    def happens(self, step: Mail | Retries | tuple[int, str, str]) -> None:
        if isinstance(step, Mail):
            raw = message(step.body).replace(b"betsy@sender.example", step.sender.encode())
            self.ids[step.name] = self.post.send(*step.recipients.split(), sender=step.sender, raw=raw)[:8]
        elif isinstance(step, Retries):
            assert set(self.post.emulator.retries.consume()) == {None}
            self.post.emulator.settle()
        else:
            self.type(*step)

    def type(self, status: int, line: str, said: str) -> None:
        for name, message_id in self.ids.items():
            line, said = line.replace(f"<{name}>", message_id), said.replace(f"<{name}>", message_id)
        path = f"{POSTERN.parent}:{os.environ['PATH']}"
        variables = {**self.post.emulator.environment, "PATH": path, "NO_COLOR": "1"}
        ended, shown = on_a_terminal("-c", f'cd "$0" && {line}', self.folder, program="sh", columns=120, **variables)
        assert (line, ended) == (line, status), shown
        assert " ".join(said.split()) in " ".join(shown.split()), f"{line}\n{shown}"
        assert "Traceback" not in shown
        assert set(OURS.sub("", shown)) - set("\r\n") <= set(filter(str.isprintable, shown)), line


@pytest.mark.slow
@pytest.mark.long
def test_a_new_user_s_first_day(emulator: Emulator, tmp_path: Path) -> None:
    emulator.load(TablesFile(frozenset({"example.com"}), {}, {}))
    ledger = [row for row in emulator.cloud.rows("LedgerTable") if not row["message_id"].startswith("#key:")]
    emulator.cloud.delete("LedgerTable", ({name: row[name] for name in ("message_id", "entry")} for row in ledger))
    session = Session(Post(emulator), tmp_path)
    assert sum(isinstance(step, tuple) and step[1].startswith("postern") for step in DAY) >= 60
    for step in DAY:
        session.happens(step)
