"""What one message may cost: keys that are looked up, and octets of header that are read."""

from collections.abc import Collection

import pytest
from postern_mail.lookup import look_up
from postern_mail.mail import repair as repairing
from postern_mail.mail import rewrite as rewriting
from postern_mail.mail.address import Address
from postern_mail.mail.authors import Author, authors
from postern_mail.mail.header import MAX_FIELDS, Header
from postern_mail.mail.message import MAX_HEADER, Message
from postern_mail.mail.plan import Forward, Policy, Quarantine, Reject, plan
from postern_mail.mail.rewrite import MAX_LISTED, Style
from postern_mail.mail.rows import Row, Rows, SenderKey

from tests.builders import envelope
from tests.fakes import FakeTables

POLICY = Policy(frozenset({"example.com", "xn--mnchen-3ya.example"}))
DEEP = ".".join(["a"] * 126)
IDN = ".".join(["xn--mnchen-3ya"] * 16)


class Counting(FakeTables):
    """Counts the keys that a stranger chooses."""

    asked = 0

    def read(
        self, aliases: Collection[str], senders: Collection[SenderKey], destinations: Collection[str] = ()
    ) -> Rows:
        self.asked += len(aliases) + len(senders)
        return super().read(aliases, senders, destinations)


def counted(recipients: int, source: str, authors: int, domain: str) -> tuple[int, list[str]]:
    rows: dict[str, Row] = {
        f"a{number}@{domain}": {"destinations": ["jane@dest.example"]} for number in range(recipients)
    }
    tables = Counting(rows)
    made = envelope(*(f"a{number}+tag@{domain}" for number in range(recipients)), source=source)
    header = Header(authors=tuple(Address.parse(f"x{number}@y{number}.{DEEP[:99]}") for number in range(authors)))
    found = look_up(tables, made, header, POLICY, 0)
    decisions = plan(made, header, found, POLICY, 0)
    return tables.asked, [type(one).__name__ for one in decisions]


@pytest.mark.parametrize("domain", ["example.com", "xn--mnchen-3ya.example"])
@pytest.mark.parametrize("source", ["betsy@sender.example", f"b+t@{DEEP}", f"b+t@{IDN}", f"no address @{DEEP}", "<>"])
@pytest.mark.parametrize("authors", [0, 1, 10, 1000])
@pytest.mark.parametrize("recipients", [1, 2, 5, 6, 50])
def test_a_stranger_chooses_so_many_keys_at_most(recipients: int, authors: int, source: str, domain: str) -> None:
    asked, decisions = counted(recipients, source, authors, domain)
    assert asked <= 200 + 40 * max(0, recipients - 5)
    assert authors or set(decisions) == {"Forward"}
    assert authors < 1000 or set(decisions) == {"Quarantine"}


def test_what_people_write_costs_few() -> None:
    asked, decisions = counted(1, "betsy@mail.sender.example", 0, "example.com")
    assert asked < 25
    assert decisions == ["Forward"]


def test_three_authors_to_five_recipients_are_all_looked_up() -> None:
    assert set(counted(5, "betsy@sender.example", 1, "example.com")[1]) == {"Forward"}


def test_a_rule_holds_for_a_name_of_many_labels() -> None:
    for key in (DEEP, ".".join(["a"] * 9)):
        tables = FakeTables(
            {"info@example.com": {"destinations": ["jane@dest.example"]}}, {(key, "*"): {"action": "REJECT"}}
        )
        made = envelope(source=f"b@{DEEP}")
        (decision,) = plan(made, Header(), look_up(tables, made, Header(), POLICY, 0), POLICY, 0)
        assert isinstance(decision, Reject), key


def test_a_rule_of_the_alias_that_answers_holds() -> None:
    """Of a catch-all, too: its scope is known only when its row is."""
    tables = FakeTables(
        {"@example.com": {"destinations": ["jane@dest.example"]}},
        {("sender.example", "@example.com"): {"action": "REJECT"}},
    )
    made = envelope("any@example.com")
    (decision,) = plan(made, Header(), look_up(tables, made, Header(), POLICY, 0), POLICY, 0)
    assert isinstance(decision, Reject)
    assert tables.calls == 2


def test_where_a_rule_of_an_alias_leads_is_asked_for_health() -> None:
    rows: dict[str, Row] = {"info@example.com": {"destinations": ["jane@dest.example"]}}
    rules: dict[SenderKey, Row] = {("sender.example", "info@example.com"): {"action": "REDIRECT joe@dest.example"}}
    tables = FakeTables(rows, rules, destinations={"joe@dest.example": {"suspended_at": 1}})
    made = envelope()
    (decision,) = plan(made, Header(), look_up(tables, made, Header(), POLICY, 0), POLICY, 0)
    assert isinstance(decision, Quarantine)


FIELD = b"a: " + b"b" * 60 + b"\r\n"
SMALL = b"From: a@sender.example\r\n"
HUGE = {
    "fields": SMALL + FIELD * 20_000 + b"\r\nbody",
    "one line": SMALL + b"X: " + b"x" * MAX_HEADER + b"\r\n\r\nbody",
    "one name": SMALL + b"x" * MAX_HEADER + b": y\r\n\r\nbody",
    "one author": b"From: " + b"a b " * 30_000 + b"<a@sender.example>\r\n\r\nbody",
    "folded": SMALL + b"X: y\r\n" + (b" " + FIELD) * 20_000 + b"\r\nbody",
    "no body": SMALL + FIELD * 20_000,
    "returns": b"From: a@sender.example\r" + FIELD[:-1] * 20_000 + b"\rbody",
}
LARGE_BODIES = {
    "one line": SMALL + b"\r\n" + b"x" * 3 * MAX_HEADER,
    "lines": SMALL + b"\r\n" + FIELD * 60_000,
    "returns": b"From: a@sender.example\r\r" + FIELD[:-1] * 20_000,
    "no separator": SMALL + b"x y" * MAX_HEADER,
}


def decided(raw: bytes, released: Collection[str] = ()) -> object:
    tables, made = FakeTables({"info@example.com": {"destinations": ["jane@dest.example"]}}), envelope()
    header = Header.of(raw)
    (decision,) = plan(made, header, look_up(tables, made, header, POLICY, 0), POLICY, 0, released)
    return decision


@pytest.mark.parametrize("released", [(), ("info@example.com",)])
@pytest.mark.parametrize("name", HUGE)
def test_a_header_that_is_too_large_is_kept_unread(name: str, released: Collection[str]) -> None:
    decision = decided(HUGE[name], released)
    assert isinstance(decision, Quarantine)
    assert "header" in decision.reason


@pytest.mark.parametrize("name", LARGE_BODIES)
def test_a_body_may_be_large(name: str) -> None:
    assert isinstance(decided(LARGE_BODIES[name]), Forward)
    whole, bounded = Message.split(LARGE_BODIES[name]), Message.split(LARGE_BODIES[name], MAX_HEADER)
    assert bounded.fields == whole.fields
    assert len(bounded.rest) == len(whole.rest)


def test_a_header_just_within_the_bound_is_read() -> None:
    fill = b"X: " + b"y" * (MAX_HEADER - len(SMALL) - 5) + b"\r\n"
    assert isinstance(decided(SMALL + fill + b"\r\nbody"), Forward)
    assert isinstance(decided(SMALL + b"Z" + fill + b"\r\nbody"), Quarantine)


LISTS = [b"To: ", b"Cc: ", b"To: a@x.example\r\nCc: "]
FILLINGS = [b",", b"<", b'"', b"g:;", b"()", b"a@x.example,", b"=?utf-8?q?x?= "]


@pytest.mark.parametrize("count", [True, False])
@pytest.mark.parametrize("filling", FILLINGS)
@pytest.mark.parametrize("name", LISTS)
def test_lists_that_are_too_long_are_not_read(
    name: bytes, filling: bytes, count: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A megabyte of commas took half a minute, for each destination and form."""

    def bounded(value: bytes) -> tuple[Author, ...]:
        assert len(value) <= MAX_LISTED
        return authors(value)

    for module in (rewriting, repairing):
        monkeypatch.setattr(module, "authors", bounded)
    monkeypatch.setattr(rewriting, "count_mailboxes", lambda value: bounded(value) and 0)
    raw = b"From: a@x.example\r\n" + name + filling * (200_000 // len(filling)) + b"\r\n\r\nbody"
    style = Style(count_header_recipients=count)
    made = rewriting.rewrite(raw, Address.parse("info@example.com"), envelope(), style)
    assert (b"X-Postern-Original-" + name.rpartition(b"\n")[2][:2] in made) is count, "a crowd, whoever is in it"
    assert made.endswith(b"\r\n\r\nbody")
    repairing.repaired(raw, Address.parse("info@example.com"), envelope(), style)


@pytest.mark.parametrize(("number", "excess"), [(MAX_FIELDS, False), (MAX_FIELDS + 1, True)])
def test_a_header_of_thousands_of_fields_is_quarantined(number: int, excess: bool) -> None:
    assert bool(Header.of(b"a:\r\n" * number + b"\r\n").excess) is excess
