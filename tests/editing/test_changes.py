"""`postern plan`, `apply` and `export` on the tables of moto's DynamoDB."""

import sys
import time
from pathlib import Path
from typing import Any

import pytest
from postern_command.aws.table_rows import TableRows
from postern_command.tables.change import Key
from postern_command.tables.differences import differences
from postern_mail.mail.rows import Row

from .conftest import FILE, Desk, numbered

POSTERN = Path(sys.executable).parent / "postern"
ARN = "arn:aws:sts::123456789012:user/moto"


def test_apply_then_export_gives_the_file_back(desk: Desk, file: Path, tmp_path: Path) -> None:
    done = desk.run("apply", file)
    assert (done.status, done.err) == (0, "")
    assert done.out == "aliases: 3 added, 0 changed, 0 removed\nsenders: 3 added, 0 changed, 0 removed\n"
    out = tmp_path / "out.toml"
    assert desk.run("export", "--out", out).status == 0
    assert out.read_text() == FILE
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    whole = out.open()  # who has the old file open keeps all of it
    assert desk.run("alias", "disable", "@example.com").status == 0
    done = desk.run("export", "--out", out)
    assert (done.status, f"{out} already exists; --force" in done.err, out.read_text()) == (2, True, FILE)
    assert desk.run("export", "--out", out, "--force").status == 0
    assert (whole.read(), out.read_text() == FILE) == (FILE, False)
    assert desk.run("alias", "enable", "@example.com").status == 0
    assert desk.run("export").out == FILE
    assert desk.run("plan", file, "--check").out == "nothing to change\n"
    assert desk.run("apply", file).out.startswith("aliases: 0 added, 0 changed, 0 removed\n")


def test_the_order_of_a_file_is_not_that_of_the_table(desk: Desk, file: Path) -> None:
    desk.run("apply", file)
    rows = desk.cloud.rows("AliasTable"), desk.cloud.rows("SenderTable")
    desk.clear()
    desk.cloud.put("AliasTable", rows[0][::-1])
    desk.cloud.put("SenderTable", rows[1][::-1])
    assert desk.run("export").out == FILE


def test_domains_are_exported_also_where_no_key_says_them(desk: Desk, file: Path) -> None:
    file.write_text(FILE.replace('    "example.org",\n', '    "example.net",\n    "example.org",\n', 1))
    domains = {"POSTERN_DOMAINS": "example.org,example.net,example.com"}
    assert desk.run("apply", file, **domains).status == 0
    assert desk.run("export", **domains).out == file.read_text()


def test_who_and_when_is_recorded_and_not_exported(desk: Desk, file: Path) -> None:
    before = int(time.time())
    desk.run("apply", file)
    for row in (*desk.aliases().values(), *desk.senders().values()):
        assert before <= row["updated_at"] <= time.time()
        assert row["updated_by"] == ARN
    stamped = desk.aliases()
    desk.run("apply", file)
    assert desk.aliases() == stamped


def test_plan_shows_what_is_added_changed_and_removed(desk: Desk, file: Path) -> None:
    desk.run("apply", file)
    desk.cloud.put(
        "AliasTable", [{"address": "old@example.com", "destinations": ["x@dest.example"], "updated_by": "me"}]
    )
    text = FILE.replace('sender = "<>"', 'sender = "new.example"').replace('    "joe@dest.example",\n', "")
    file.write_text(text.replace("enabled = false\n", ""))
    done = desk.run("plan", file)
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == [
        "~ alias info@example.com",
        '-   destinations = ["jane@dest.example", "joe@dest.example"]',
        '+   destinations = ["jane@dest.example"]',
        "-   enabled = false",
        "- alias old@example.com",
        '-   destinations = ["x@dest.example"]',
        "- sender rule <>",
        '-   action = "OK"',
        "+ sender rule new.example",
        '+   action = "OK"',
        "1 to add, 1 to change, 2 to remove",
    ]
    assert desk.run("plan", file, "--check").status == 1
    assert len(desk.aliases()) == 4
    assert desk.run("apply", file, "--dry-run").out == done.out
    assert len(desk.aliases()) == 4


MADE: list[dict[str, Any]] = [
    {"address": "shop@example.com", "destinations": ["jane@dest.example"], "made_by": "token phone"},
    {"address": "news@example.com", "destinations": ["jane@dest.example"], "made_by": "learn", "enabled": False},
]
BY_LINK: dict[str, Any] = {"sender": "pest.example", "scope": "*", "action": "REJECT", "made_by": "link"}
LEFT = "3 rows that Postern added are left alone; --all-rows includes them\n"


def _rows_make_themselves(desk: Desk) -> None:
    desk.cloud.put("AliasTable", MADE)
    desk.cloud.put("SenderTable", [BY_LINK])


def test_a_file_that_is_older_than_rows_that_were_made_by_themselves_leaves_them_alone(desk: Desk, file: Path) -> None:
    desk.run("apply", file)
    _rows_make_themselves(desk)
    done = desk.run("plan", file, "--check")
    assert (done.status, done.out) == (0, f"nothing to change\n{LEFT}")
    assert desk.run("apply", file, "--dry-run").out == done.out
    done = desk.run("apply", file)
    assert (done.status, done.out.splitlines(keepends=True)[-1]) == (0, LEFT)
    done = desk.run("plan", file, "--json")
    assert (done.out, done.err) == ("", LEFT)
    assert desk.run("apply", file, "--json").err == LEFT
    for row in MADE:
        assert desk.aliases()[row["address"]] == row
    assert desk.senders()["pest.example", "*"] == BY_LINK


def test_rows_that_were_made_by_themselves_do_not_hide_that_it_is_the_wrong_file(desk: Desk, file: Path) -> None:
    desk.run("apply", file)
    desk.cloud.put("AliasTable", [{**MADE[0], "address": f"learned{number}@example.com"} for number in range(30)])
    file.write_text(FILE.replace("info@example.com", "else@example.com"))
    done = desk.run("apply", file)
    assert (done.status, "1 of 3 rows of aliases would be removed" in done.err) == (1, True)


def test_all_rows_takes_those_that_were_made_by_themselves(desk: Desk, file: Path) -> None:
    desk.run("apply", file)
    _rows_make_themselves(desk)
    done = desk.run("plan", file, "--all-rows")
    assert done.out.splitlines()[-1] == "0 to add, 0 to change, 3 to remove"
    assert desk.run("apply", file, "--all-rows", "--dry-run").out == done.out
    assert desk.run("apply", file, "--all-rows").status == 1  # more than 20 %
    assert desk.run("apply", file, "--all-rows", "--yes").out.splitlines() == [
        "aliases: 0 added, 0 changed, 2 removed",
        "senders: 0 added, 0 changed, 1 removed",
    ]
    assert (len(desk.aliases()), len(desk.senders())) == (3, 3)


def test_export_writes_rows_that_were_made_by_themselves_if_all_are_asked_for(desk: Desk, file: Path) -> None:
    desk.run("apply", file)
    _rows_make_themselves(desk)
    done = desk.run("export")
    assert (done.out, done.err) == (FILE, LEFT)
    done = desk.run("export", "--all-rows")
    assert (done.out.count("made_by"), done.err) == (3, "")
    file.write_text(done.out)
    desk.clear()
    assert desk.run("apply", file).status == 0  # a table that is restored is the same one
    assert desk.run("export").err == LEFT
    assert desk.run("plan", file).out == "nothing to change\n"


def test_a_file_that_names_a_row_takes_it_over(desk: Desk, file: Path) -> None:
    desk.run("apply", file)
    _rows_make_themselves(desk)
    taken = '\n[aliases."shop@example.com"]\ndestinations = [\n    "jane@dest.example",\n]\n\n[[senders]]'
    file.write_text(FILE.replace("\n[[senders]]", taken, 1))
    assert desk.run("plan", file).out.splitlines() == [
        "~ alias shop@example.com",
        '-   made_by = "token phone"',
        "0 to add, 1 to change, 0 to remove",
        LEFT.replace("3", "2").strip(),
    ]
    desk.run("apply", file)
    assert "made_by" not in desk.aliases()["shop@example.com"]
    file.write_text(FILE)
    assert "- alias shop@example.com" in desk.run("plan", file).out


def test_a_rule_that_a_link_made_is_the_owners_when_he_replaces_it(desk: Desk) -> None:
    desk.cloud.put("SenderTable", [BY_LINK])
    assert "(made by link)" in desk.run("sender", "list").out
    desk.run("sender", "add", "pest.example", "DISCARD", "--replace")
    assert "made_by" not in desk.senders()["pest.example", "*"]


def test_a_list_says_who_made_a_row(desk: Desk) -> None:
    desk.cloud.put("AliasTable", MADE)
    assert "(disabled; made by learn)" in desk.run("alias", "list").out
    assert desk.run("alias", "list", "shop", "--json").objects[0]["made_by"] == "token phone"


def test_plan_as_json(desk: Desk, file: Path) -> None:
    file.write_text('[aliases."a@example.com"]\ndestinations = ["x@dest.example"]\n')
    desk.cloud.put("SenderTable", [{"sender": "spam.example", "scope": "*", "action": "OK", "updated_at": 7}])
    assert desk.run("plan", file, "--json").objects == [
        {
            "change": "add",
            "table": "aliases",
            "address": "a@example.com",
            "before": None,
            "after": {"destinations": ["x@dest.example"]},
        },
        {
            "change": "remove",
            "table": "senders",
            "sender": "spam.example",
            "scope": "*",
            "before": {"action": "OK"},
            "after": None,
        },
    ]
    assert desk.run("apply", file, "--yes", "--json").objects == [
        {
            "aliases": {"added": 1, "changed": 0, "removed": 0},
            "senders": {"added": 0, "changed": 0, "removed": 1},
        }
    ]


def test_a_number_that_dynamodb_does_not_keep_is_a_file_that_cannot_be_read(desk: Desk, file: Path) -> None:
    file.write_text(f'[aliases."a@example.com"]\ndestinations = ["x@y.example"]\nexpires_at = 1{"1" * 38}')
    for command in ("plan", "apply"):
        done = desk.run(command, file)
        assert (done.status, done.out, "DynamoDB cannot store the number" in done.err) == (2, "", True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[aliases."a@other.example"]\ndestinations = ["x@dest.example"]', "alias a@other.example: other.example is not"),
        ('[aliases."a b@example.com"]\ndestinations = ["x@dest.example"]', "alias a b@example.com: this is neither"),
        ('[aliases."a@example.com"]\ndestinations = ["x"]', "aliases row 'a@example.com': destination 'x' is not a mail"),
        ('[aliases."a@example.com"]\ndestination = ["x@y.example"]', "aliases row 'a@example.com': unknown attribute 'destination' (destinations?)"),
        ('[aliases."a@example.com"]\nupdated_at = 7', "alias a@example.com: updated_at cannot be set"),
        (f'[aliases."a@example.com"]\ndestinations = ["x@y.example"]\nnote = "{"x" * 400_000}"', "larger than 400000"),
        ('[aliases."a@example.com"]\ndestinations = ["a@example.org"]\n[aliases."a@example.org"]\ndestinations = ["a@example.com"]',
         "alias a@example.com: alias loop: a@example.com -> a@example.org -> a@example.com"),
        ('[aliases."@example.com"]\ndestinations = ["@example.org"]\n[aliases."@example.org"]\ndestinations = ["@example.com"]',
         "alias @example.com: alias loop: "),
        ('[[senders]]\nsender = "spam.example"\naction = "SPAM"', "senders row 'spam.example in scope *': action"),
        ('[[senders]]\nsender = "spam.example"\naction = "OK"\nscope = "a@other.example"', "the scope is neither * nor"),
        ('[[senders]]\nsender = "spam.example"\naction = "OK"\nverdict = 7', "unknown attribute 'verdict'"),
    ],
)  # fmt: skip
def test_rows_that_are_not_valid_are_named_and_nothing_is_done(desk: Desk, file: Path, text: str, said: str) -> None:
    good = '[[senders]]\nsender = "good.example"\naction = "OK"\n'
    file.write_text(f"{text}\n{good}")
    for command in ("plan", "apply"):
        done = desk.run(command, file, "--yes") if command == "apply" else desk.run(command, file)
        assert (done.status, done.out) == (1, "")
        assert f"postern: {said}" in done.err or said in done.err
    assert (desk.aliases(), desk.senders()) == ({}, {})


def test_all_faults_are_named_at_once(desk: Desk, file: Path) -> None:
    file.write_text(numbered(3, "x") + '[[senders]]\nsender = "s.example"\naction = "SPAM"\n')
    assert len(desk.run("plan", file).err.splitlines()) == 4


def test_domains_of_the_file_bind_too(desk: Desk, file: Path) -> None:
    file.write_text('domains = ["example.org"]\n' + numbered(1))
    assert (
        "alias a0@example.com: example.com is not one of our domains, which are example.org"
        in desk.run("plan", file).err
    )


def test_what_leads_nowhere_is_only_warned_about(desk: Desk, file: Path) -> None:
    file.write_text(
        '[aliases."a@example.com"]\ndestinations = ["gone@example.com"]\n'
        '[aliases."@example.org"]\ndestinations = ["@example.com"]\n'
        '[[senders]]\nsender = "s.example"\naction = "OK"\nscope = "b@example.com"\n'
    )
    done = desk.run("apply", file)
    assert done.status == 0
    assert done.err.splitlines() == [
        "postern: warning: alias a@example.com: gone@example.com is unknown",
        "postern: warning: sender rule s.example for b@example.com: there is no such alias",
    ]


def test_removing_more_than_a_fifth_of_a_table_needs_yes(desk: Desk, file: Path) -> None:
    file.write_text(numbered(10))
    assert desk.run("apply", file).status == 0
    file.write_text(numbered(8))
    assert desk.run("apply", file).status == 0  # 2 of 10 is a fifth
    file.write_text(numbered(6))
    done = desk.run("apply", file)
    assert (done.status, done.out) == (1, "")
    assert "2 of 8 rows of aliases would be removed, more than 20%" in done.err
    assert len(desk.aliases()) == 8
    assert desk.run("apply", file, "--yes").status == 0
    assert len(desk.aliases()) == 6


def test_keys_are_written_as_they_are_looked_up(desk: Desk, file: Path) -> None:
    file.write_text(
        'domains = ["Example.com", "Bücher.example"]\n[aliases."Info@Bücher.example"]\ndestinations = ["x@dest.example"]\n'
        '[[senders]]\nsender = "User@Bücher.example"\naction = "OK"\nscope = "INFO@Bücher.example"\n'
        '[[senders]]\nsender = "Bücher.example"\naction = "OK"\n'
    )
    done = desk.run("apply", file, POSTERN_DOMAINS="bücher.example")
    assert (done.status, done.err) == (0, "")
    assert set(desk.aliases()) == {"info@xn--bcher-kva.example"}
    assert set(desk.senders()) == {
        ("user@xn--bcher-kva.example", "info@xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "*"),
    }


class Meddling(TableRows):
    """Someone edits a row between the moment it is read and the moment it is written."""

    meddle: Any = None

    def write(self, changes: Any) -> None:
        if Meddling.meddle:
            Meddling.meddle(changes)
        super().write(changes)


@pytest.fixture
def meddling(monkeypatch: pytest.MonkeyPatch) -> type[Meddling]:
    monkeypatch.setattr("postern_command.aws.parts.TableRows", Meddling)
    monkeypatch.setattr(Meddling, "meddle", None)
    return Meddling


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        ("SET destinations = :x", numbered(5, "new@dest.example")),
        ("SET note = :x", numbered(5, "new@dest.example")),  # an attribute that was not there
        ("SET note = :x", ""),  # to be removed
        ("SET note = :x", numbered(6)),  # to be added, and there meanwhile
    ],
)
def test_a_row_that_is_edited_meanwhile_is_not_written_over(
    desk: Desk, file: Path, meddling: type[Meddling], edit: str, text: str
) -> None:
    file.write_text(numbered(5))
    desk.run("apply", file)
    key = "a5@example.com" if "a5" in text else "a3@example.com"

    def meddle(_: object) -> None:
        desk.cloud.dynamodb.update_item(
            TableName=desk.template.name("AliasTable"),
            Key={"address": {"S": key}},
            UpdateExpression=edit,
            ExpressionAttributeValues={":x": {"S": "x@dest.example"}},
        )

    meddling.meddle = meddle
    file.write_text(text)
    before = desk.aliases()
    done = desk.run("apply", file, "--yes")
    assert done.status == 1
    assert f"postern: alias {key}: changed by someone else meanwhile" in done.err
    meddling.meddle = None
    untouched = {name: row for name, row in desk.aliases().items() if name != key}
    assert untouched == {name: row for name, row in before.items() if name != key}
    assert desk.run("apply", file, "--yes").status == 0
    assert set(desk.aliases()) == {f"a{number}@example.com" for number in range(text.count("destinations"))}


def test_what_was_interrupted_is_gone_on_with(desk: Desk, file: Path, meddling: type[Meddling]) -> None:
    file.write_text(numbered(250))
    lots: list[int] = []

    def interrupt(changes: list[object]) -> None:
        lots.append(len(changes))
        if len(lots) == 2:
            raise KeyboardInterrupt

    meddling.meddle = interrupt
    assert desk.run("apply", file).status == 130
    assert (lots, len(desk.aliases())) == ([100, 100], 100)
    lots.clear()
    lots.extend([0, 0])
    assert "aliases: 150 added" in desk.run("apply", file).out
    assert lots == [0, 0, 100, 50]


def test_new_rows_come_before_changes_and_removals_are_last(desk: Desk, file: Path, meddling: type[Meddling]) -> None:
    file.write_text('[[senders]]\nsender = "a.example"\naction = "OK"\n' + numbered(2))
    desk.run("apply", file)
    file.write_text(
        numbered(1, "new@dest.example")
        + '[aliases."b@example.com"]\ndestinations = ["x@dest.example"]\n'
        + '[[senders]]\nsender = "b.example"\naction = "OK"\n'
    )
    kinds: list[str] = []
    meddling.meddle = lambda changes: kinds.extend(f"{change.kind} {change}" for change in changes)
    assert desk.run("apply", file, "--yes").status == 0
    assert kinds == [
        "add alias b@example.com",
        "add sender rule b.example",
        "change alias a0@example.com",
        "remove alias a1@example.com",
        "remove sender rule a.example",
    ]


def test_live_rows_are_not_held() -> None:
    """A row that is alike is let go when the next one is read."""
    keys = [f"a{number}@b.example" for number in range(100)]
    wanted: dict[Key, Row] = {(key,): {"address": key} for key in keys}
    alive: list[int] = []

    class Counted(dict[str, Any]):
        def __init__(self, key: str) -> None:
            super().__init__(address=key)
            alive.append(1)

        def __del__(self) -> None:
            alive.pop()

    def live() -> Any:
        for key in keys:
            assert len(alive) <= 2
            yield Counted(key)

    assert list(differences("aliases", wanted, live())) == []


def test_export_refuses_what_a_file_cannot_say(desk: Desk, tmp_path: Path) -> None:
    out = tmp_path / "out.toml"
    out.write_text("what was there")
    desk.type("AliasTable", {"address": {"S": "a@example.com"}, "picture": {"B": b"\x00"}})
    desk.type("AliasTable", {"address": {"S": "b@example.com"}})
    desk.type("AliasTable", {"address": {"S": "B@example.com"}})
    done = desk.run("export", "--out", out, "--force")
    assert done.status == 1
    assert "alias a@example.com: a tables file cannot hold" in done.err
    assert "b@example.com exists twice, spelled in two ways" in done.err.lower()
    assert out.read_text() == "what was there"
    assert desk.run("export", "--out", tmp_path / "no" / "folder.toml").status == 1


def test_export_of_nothing_can_be_applied(desk: Desk, file: Path) -> None:
    file.write_text(desk.run("export").out)
    assert desk.run("apply", file).status == 0
