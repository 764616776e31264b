"""aliases(5), as it arrives in the alias table."""

from pathlib import Path

import pytest
from postern_postfix.report import Verdict

from .box import imported

TAKEN, CHANGED, IMPOSSIBLE, UNNEEDED = Verdict.TAKEN, Verdict.CHANGED, Verdict.IMPOSSIBLE, Verdict.UNNEEDED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("info: jane@dest.example", ["jane@dest.example"]),
        ("INFO: jane@dest.example, Joe@Dest.Example", ["jane@dest.example", "Joe@dest.example"]),
        ('"info" : Jane Doe <jane@dest.example>', ["jane@dest.example"]),
        (
            "info: (a comment) jane@dest.example,\n# comment\n\n   joe@dest.example",
            ["jane@dest.example", "joe@dest.example"],
        ),
        ("info: jane@dest.example joe@dest.example", ["jane@dest.example", "joe@dest.example"]),
        ("info: team: jane@dest.example, joe@dest.example;", ["jane@dest.example", "joe@dest.example"]),
        ('info: "jane doe"@dest.example', ['"jane doe"@dest.example']),
        ("info: jane@dest.example.", ["jane@dest.example"]),
        ("info: /dev/null", ["discard:"]),
        ('info: "|exit 0"', ["discard:"]),
        ('info: "| /bin/true"', ["discard:"]),
        ("info: jane@dest.example, jane@dest.example", ["jane@dest.example"]),
    ],
)
def test_what_a_line_becomes(text: str, expected: list[str], tmp_path: Path) -> None:
    done = imported(tmp_path, aliases=text)
    assert expected == done.destinations["info@example.com"]
    assert done.verdict("aliases", 1) in (TAKEN, CHANGED)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("info: |/usr/bin/vacation", "no host to run a command on"),
        ('info: "|exit 75"', "no host to run a command on"),
        ("info: /var/mail/info", "no file to append mail to"),
        ("info: ~/Mailbox", "no file to append mail to"),
        ("info: bob", "bob was the mailbox of a user on the box"),
        ("info: info", "info was the mailbox of a user on the box"),
        ("info: info@example.com", "info was the mailbox of a user on the box"),
        ("info: bob@localhost", "bob was the mailbox of a user on the box"),
        ("info: bob@other", "host name without a dot"),
        ("info: @other.example", "not a mail address"),
        ("info: host!bob", "write it as user@domain"),
        ("info: :include:/nowhere", "/nowhere cannot be read"),
        ("info: :include:relative", "not absolute"),
        ("info: jürgen@dest.example", "not a mail address"),
    ],
)
def test_what_is_impossible_becomes_a_row_that_is_switched_off(text: str, said: str, tmp_path: Path) -> None:
    """Without it the mail would go to the catch-all."""
    done = imported(tmp_path, aliases=text)
    assert {"info@example.com"} == done.switched_off
    assert done.verdict("aliases", 1) is IMPOSSIBLE
    assert said in done.said("aliases", 1)
    assert text in done.tables.aliases["info@example.com"]["note"]


@pytest.mark.parametrize(
    "text", ["info", ": x", "info:", "a, b: c", "info@example.com: x", "a%b: x", '"": x', "  info: x"]
)
def test_what_postalias_skips(text: str, tmp_path: Path) -> None:
    done = imported(tmp_path, aliases=text)
    assert done.tables.aliases == {}
    assert done.verdict("aliases", 1) is Verdict.LEFT_BEHIND


def test_no_such_user_is_a_row_that_is_switched_off(tmp_path: Path) -> None:
    done = imported(tmp_path, aliases='gone: "|exit 67"')
    assert {"gone@example.com"} == done.switched_off
    assert done.verdict("aliases", 1) is CHANGED


def test_an_unquoted_command_ends_at_a_space(tmp_path: Path) -> None:
    """So `|exit 67` is the command `exit`, which swallows the mail, and the user 67."""
    done = imported(tmp_path, aliases="gone: |exit 67")
    assert done.destinations["gone@example.com"] == ["discard:"]
    assert "67 was the mailbox of a user" in done.said("aliases", 1)


def test_a_comment_behind_addresses_is_none(tmp_path: Path) -> None:
    done = imported(tmp_path, aliases="info: jane@dest.example # our jane")
    assert done.destinations["info@example.com"] == ["jane@dest.example"]
    assert "here # does not start a comment" in done.said("aliases", 1)
    assert "our" not in done.said("aliases", 1)


def test_a_name_leads_to_its_row_at_each_domain(tmp_path: Path) -> None:
    done = imported(tmp_path, "example.com", "example.net", aliases="root: admin\nadmin: jane@dest.example")
    assert done.destinations == {
        "root@example.com": ["admin@example.com"],
        "root@example.net": ["admin@example.net"],
        "admin@example.com": ["jane@dest.example"],
        "admin@example.net": ["jane@dest.example"],
    }


def test_the_first_of_two_counts(tmp_path: Path) -> None:
    done = imported(tmp_path, aliases="info: jane@dest.example\nInfo: joe@dest.example")
    assert done.destinations["info@example.com"] == ["jane@dest.example"]
    assert done.verdict("aliases", 2) is UNNEEDED


def test_a_list_is_written_out(tmp_path: Path) -> None:
    files = {
        "/etc/list": "# members\njane@dest.example, joe@dest.example\nadmin\n :include:/etc/more\n  # no comment here\n|cmd"
    }
    files["/etc/more"] = "ann@dest.example"
    done = imported(tmp_path, aliases="team: :include:/etc/list\nadmin: x@dest.example", files=files)
    expected = ["jane@dest.example", "joe@dest.example", "admin@example.com", "ann@dest.example"]
    assert expected == done.destinations["team@example.com"]
    assert [done.verdict("/etc/list", line) for line in (2, 3, 4)] == [TAKEN, TAKEN, CHANGED]
    assert [done.verdict("/etc/list", line) for line in (5, 6)] == [IMPOSSIBLE, IMPOSSIBLE]
    assert done.verdict("/etc/more", 1) is TAKEN


def test_a_list_that_includes_itself(tmp_path: Path) -> None:
    done = imported(
        tmp_path, aliases="team: :include:/etc/list", files={"/etc/list": ":include:/etc/list\nann@dest.example"}
    )
    assert done.destinations["team@example.com"] == ["ann@dest.example"]
    assert "loop" in done.said("/etc/list", 1)


def test_of_a_circle_the_branches_that_lead_out_are_left(tmp_path: Path) -> None:
    """local(8) bounces the branch that leads form a loop, and goes on with the others."""
    done = imported(tmp_path, aliases="a: b\nb: a\nc: a, jane@dest.example\nd: e, joe@dest.example\ne: d")
    assert {"a@example.com", "b@example.com"} == done.switched_off
    assert done.leads_to("c@example.com") == ["jane@dest.example"]
    assert done.leads_to("d@example.com") == done.leads_to("e@example.com") == ["joe@dest.example"]
    assert [done.verdict("aliases", line) for line in range(1, 6)] == [IMPOSSIBLE] * 2 + [TAKEN] + [IMPOSSIBLE] * 2


@pytest.mark.parametrize(("levels", "works"), [(10, True), (11, False)])
def test_as_many_levels_as_the_tables_allow(levels: int, works: bool, tmp_path: Path) -> None:
    lines = [f"a{number}: a{number + 1}" for number in range(1, levels)]
    done = imported(tmp_path, aliases="\n".join([*lines, f"a{levels}: jane@dest.example"]))
    assert works == ("a1@example.com" in done.destinations)
    assert "a2@example.com" in done.destinations


def test_the_owner_of_a_list(tmp_path: Path) -> None:
    done = imported(tmp_path, aliases="team: jane@dest.example\nowner-team: joe@dest.example")
    assert done.destinations["owner-team@example.com"] == ["joe@dest.example"]
    assert "bounces of mail that team forwards do not go to it" in done.said("aliases", 2)


def test_the_tag_is_not_kept(tmp_path: Path) -> None:
    """propagate_unmatched_extensions is canonical, virtual by default."""
    done = imported(tmp_path, aliases="info: jane@dest.example", main_cf="recipient_delimiter = +")
    assert "keep_tag" not in done.tables.aliases["info@example.com"]
    config = "recipient_delimiter = +\npropagate_unmatched_extensions = alias"
    done = imported(tmp_path, aliases="info: jane@dest.example", main_cf=config)
    assert done.tables.aliases["info@example.com"]["keep_tag"] is True


def test_a_line_of_a_list_without_an_address(tmp_path: Path) -> None:
    files = {"/etc/list": "ann@dest.example\n(nobody yet),"}
    done = imported(tmp_path, aliases="team: :include:/etc/list", files=files)
    assert done.destinations["team@example.com"] == ["ann@dest.example"]
    assert "no address" in done.said("/etc/list", 2)


def test_the_same_is_said_once(tmp_path: Path) -> None:
    done = imported(tmp_path, "example.com", "example.net", aliases="info: bob, jane@dest.example")
    assert sum("bob was" in part.says for part in done.entry("aliases", 1).parts) == 1
