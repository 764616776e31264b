"""What deciding costs: `python -m bench.planning`.

The claims: the time of a plan is proportional to the recipients, and a message takes the same calls and time for tables
of any size.
"""

from collections.abc import Collection, Mapping

from postern_command.tables.file import TablesFile
from postern_mail.lookup import look_up
from postern_mail.mail.address import Address
from postern_mail.mail.envelope import Envelope
from postern_mail.mail.header import Header
from postern_mail.mail.plan import Policy, plan
from postern_mail.mail.rows import Row, Rows, SenderKey
from postern_mail.mail.verdicts import Verdicts

from bench.rewriting import seconds

NOW = 1_795_000_000.0
POLICY = Policy(frozenset({"example.com"}))
HEADER = Header(authors=(Address("betsy", "sender.example"),))


class CountedTables:
    """A tables file that counts look-ups."""

    def __init__(self, aliases: Mapping[str, Row]) -> None:
        self._file = TablesFile(frozenset({"example.com"}), aliases, {("spam.example", "*"): {"action": "REJECT"}})
        self.calls = self.keys = 0

    def read(
        self, aliases: Collection[str], senders: Collection[SenderKey], destinations: Collection[str] = ()
    ) -> Rows:
        """The rows under these keys."""
        self.calls += 1
        self.keys += len(aliases) + len(senders) + len(destinations)
        return self._file.read(aliases, senders, destinations)


def aliases(count: int) -> dict[str, Row]:
    """This many rows, which share one value, since only the keys matter."""
    row: Row = {"destinations": ["jane@dest.example"]}
    return {f"a{number}@example.com": row for number in range(count)}


def envelope(recipients: int) -> Envelope:
    """A message for this many aliases."""
    to = tuple(Address(f"a{number}", "example.com") for number in range(recipients))
    return Envelope.offline("betsy@sender.example", to, Verdicts())


def plan_seconds(recipients: int) -> float:
    """The seconds for one plan, with its rows in memory."""
    made, tables = envelope(recipients), CountedTables(aliases(recipients))
    found = look_up(tables, made, HEADER, POLICY, NOW)

    def decide() -> None:
        found.rows.understood.clear()
        plan(made, HEADER, found, POLICY, NOW)

    return seconds(decide, max(20, 2000 // recipients))


def message(count: int) -> tuple[int, int, float]:
    """(calls, keys, seconds) of look-up and plan for one recipient, with this many rows."""
    tables, made = CountedTables(aliases(count)), envelope(1)

    def decide() -> None:
        tables.calls = tables.keys = 0
        plan(made, HEADER, look_up(tables, made, HEADER, POLICY, NOW), POLICY, NOW)

    taken = seconds(decide, 2000)
    return tables.calls, tables.keys, taken


def main() -> None:
    """Print the figures."""
    one = plan_seconds(1)
    for recipients in (1, 10, 100):
        taken = plan_seconds(recipients)
        print(f"plan for {recipients:3} recipients: {taken * 1e6:7.0f} us, {taken / one / recipients:.2f} of the first")
    for count in (10, 1_000_000):
        calls, keys, taken = message(count)
        print(f"look-up and plan among {count:9,} rows: {calls} call, {keys} keys, {taken * 1e6:.0f} us")


if __name__ == "__main__":
    main()
