"""What an address of a right-hand side means depends on where it stands: each case was asked of Postfix 3.7.11."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
from postern_postfix.report import Verdict

from .box import imported
from .on_the_way import is_impossible_on_the_way


class Case(NamedTuple):
    """A box, and whom Postfix delivers to by address, [] for no one."""

    main_cf: str
    virtual: str
    aliases: str
    expected: dict[str, list[str]]
    domains: tuple[str, ...] = ("home.example",)
    patterns: str = ""

    @property
    def config(self) -> str:
        """main.cf, whole."""
        maps = "alias_maps = hash:/etc/aliases\nvirtual_alias_maps = hash:/etc/virtual"
        return f"compatibility_level = 3.6\nmyhostname = mx.home.example\n{maps}\n{self.main_cf}\n"

    @property
    def files(self) -> dict[str, str]:
        """The tables that main.cf names."""
        return {"/etc/aliases": self.aliases, "/etc/virtual": self.virtual, "/etc/patterns": self.patterns}


AT_HOME = "myorigin = home.example\nmydestination = home.example, localhost"
AT_HOST = "myorigin = mx.home.example\nmydestination = home.example, mx.home.example, localhost"
TWO = "myorigin = a.example\nmydestination = a.example, b.example, localhost"
VIRT = "myorigin = mx.home.example\nmydestination = mx.home.example, localhost\nvirtual_alias_domains = virt.example"
VBOX = "mydestination = localhost\nvirtual_mailbox_domains = vbox.example"
CASES = {
    "a catch-all into its own domain": Case(
        AT_HOME,
        "@home.example root\ninfo@home.example info@out.example",
        "root: admin@out.example\npostmaster: root",
        {
            "x@home.example": ["admin@out.example"],
            "root@home.example": ["admin@out.example"],
            "info@home.example": ["info@out.example"],
        },
    ),
    "a black hole at localhost": Case(
        AT_HOME,
        "@home.example owner@out.example\nspamtrap@home.example devnull@localhost",
        "devnull: /dev/null",
        {"spamtrap@home.example": [], "other@home.example": ["owner@out.example"]},
    ),
    "a bare name, the origin is the host": Case(
        AT_HOST,
        "info@home.example bob\nbob@home.example other@out.example",
        "bob: bob@out.example",
        {"info@home.example": ["bob@out.example"], "bob@home.example": ["other@out.example"]},
    ),
    "a bare name under a catch-all, the origin is the host": Case(
        AT_HOST,
        "info@home.example bob\n@home.example catch@out.example",
        "bob: bob@out.example",
        {"info@home.example": ["bob@out.example"]},
    ),
    "a bare name at a second domain": Case(
        TWO,
        "sales@b.example bob\nbob@b.example other@out.example",
        "bob: bob@gmail.example",
        {
            "sales@b.example": ["bob@gmail.example"],
            "bob@b.example": ["other@out.example"],
            "bob@a.example": ["bob@gmail.example"],
        },
        ("a.example", "b.example"),
    ),
    "an address at the host": Case(
        AT_HOST,
        "sales@home.example info@mx.home.example\ninfo@home.example x@out.example",
        "info: bob@out.example",
        {"sales@home.example": ["bob@out.example"], "info@home.example": ["x@out.example"]},
    ),
    "a domain to the host": Case(
        VIRT,
        "@virt.example @mx.home.example",
        "info: b@out.example",
        {"info@virt.example": ["b@out.example"], "x@virt.example": []},
        ("virt.example",),
    ),
    "a domain to localhost": Case(
        VIRT,
        "@virt.example @localhost",
        "info: b@out.example",
        {"info@virt.example": ["b@out.example"]},
        ("virt.example",),
    ),
    "a domain to itself": Case(
        AT_HOME, "@home.example @home.example", "info: b@out.example", {"info@home.example": ["b@out.example"]}
    ),
    "a tag behind a name that a pattern takes": Case(
        f"{AT_HOME}\nrecipient_delimiter = +\nvirtual_alias_maps = pcre:/etc/patterns, hash:/etc/virtual",
        "bob@home.example bob@out.example",
        "ann: ann@out.example",
        {
            "ann@home.example": ["either@out.example"],
            "ann+t@home.example": ["ann@out.example"],
            "bob@home.example": ["either@out.example"],
            "bob+t@home.example": ["bob+t@out.example"],
            "sales@home.example": ["sales@out.example"],
            "sales+t@home.example": ["sales@out.example"],
        },
        patterns=r"/^(ann|bob)@home\.example$/ either@out.example"
        "\n"
        r"/^sales.*@home\.example$/ sales@out.example"
        "\n",
    ),
    "a circle that comes back through a name of the box": Case(
        "myorigin = virt.example\nmydestination = mx.home.example, localhost\nvirtual_alias_domains = virt.example",
        "ann x@out.example, team@localhost\nteam ann\nbob bob, y@out.example",
        "",
        {"ann@virt.example": [], "bob@virt.example": ["y@out.example"]},
        ("virt.example",),
    ),
    "what a pattern makes, and another pattern takes": Case(
        f"{AT_HOME}\nvirtual_alias_maps = pcre:/etc/patterns\nvirtual_alias_domains =",
        "",
        "",
        {"sales-x@home.example": ["every@out.example"], "x@home.example": ["every@out.example"]},
        patterns=r"/^sales-(.*)@home\.example$/ $1@made.example" "\n" r"/.*/ every@out.example" "\n",
    ),
    "virtual mailboxes": Case(VBOX, "", "bob: bob@out.example", {"bob@vbox.example": []}, ("vbox.example",)),
    "a tag through an alias": Case(
        f"{VIRT}\nrecipient_delimiter = +",
        "info@virt.example bob",
        "bob: b@out.example",
        {"info+x@virt.example": ["b@out.example"]},
        ("virt.example",),
    ),
    "no tags, with a catch-all": Case(
        VIRT,
        "@virt.example owner@out.example\nchad@virt.example chad@out.example",
        "",
        {"chad+t@virt.example": ["owner@out.example"], "chad@virt.example": ["chad@out.example"]},
        ("virt.example",),
    ),
    "another delimiter": Case(
        f"{VIRT}\nrecipient_delimiter = -\npropagate_unmatched_extensions =",
        "@virt.example owner@out.example\nchad@virt.example chad@out.example",
        "",
        {
            "chad-t@virt.example": ["chad@out.example"],
            "chad+t@virt.example": ["owner@out.example"],
            "x-chad@virt.example": ["owner@out.example"],
        },
        ("virt.example",),
    ),
    "a list's member that is no alias is looked up in virtual(5)": Case(
        AT_HOME,
        "bob@home.example bob@out.example",
        "team: bob\nowner-team: boss@out.example\nalone: bob",
        {"team@home.example": ["bob@out.example"], "alone@home.example": []},
    ),
    "a tag ends at a catch-all elsewhere, but for @domain": Case(
        f"{VIRT}\nrecipient_delimiter = +",
        "ann@virt.example @old.example\n@old.example root@out.example\n"
        "bob@virt.example @two.example\n@two.example @three.example",
        "",
        {"ann+x@virt.example": ["root@out.example"], "bob+x@virt.example": ["bob+x@three.example"]},
        ("virt.example",),
    ),
    "an address elsewhere that every address is": Case(
        f"{VIRT}",
        "info@virt.example info@old.example\n@old.example new@out.example",
        "",
        {"info@virt.example": ["new@out.example"]},
        ("virt.example",),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_as_postfix(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    done = imported(tmp_path, *case.domains, main_cf=case.config, files=case.files)
    assert {address: done.leads_to(address) for address in case.expected} == case.expected


@pytest.mark.parametrize(
    ("virtual", "line"),
    [
        ("@home.example bob@home.example", 1),
        ("@home.example bob", 1),
        ("info@home.example bob@localhost", 1),
        ("info@home.example bob@mx.home.example", 1),
        ("info@home.example a@out.example, bob", 1),
        ("@home.example @localhost", 1),
    ],
)
def test_a_mailbox_of_the_box_is_impossible_wherever_it_is_met(virtual: str, line: int, tmp_path: Path) -> None:
    config = f"compatibility_level = 3.6\nmyhostname = mx.home.example\n{AT_HOST}"
    done = imported(tmp_path, "home.example", main_cf=config, virtual=virtual)
    assert done.verdict("virtual", line) is Verdict.IMPOSSIBLE


def test_alias_maps_by_default(tmp_path: Path) -> None:
    files = {"/etc/aliases": "ann: ann@out.example"}
    for config in ("", "alias_maps = $alias_database"):
        done = imported(tmp_path, "home.example", main_cf=f"mydestination = home.example\n{config}", files=files)
        assert done.leads_to("ann@home.example") == ["ann@out.example"]


@pytest.mark.parametrize("there", [True, False])
def test_domains_in_a_table(there: bool, tmp_path: Path) -> None:
    """aliases(5) does not hold there, and where the table cannot be read no one knows."""
    config = "mydestination = mx.home.example\nvirtual_alias_domains = hash:/etc/domains"
    files = {"/etc/domains": "virt.example x"} if there else {}
    done = imported(tmp_path, "virt.example", main_cf=config, files=files, aliases="bob: bob@out.example")
    assert done.leads_to("bob@virt.example") == []
    assert (done.verdict("main.cf", 2) is Verdict.IMPOSSIBLE) != there


def test_myorigin_in_a_file(tmp_path: Path) -> None:
    """Debian's myorigin = /etc/mailname."""
    config = "mydestination = home.example, mx.home.example\nmyorigin = /etc/mailname"
    tables: dict[str, Any] = {
        "virtual": "info@home.example bob\nbob@home.example x@out.example",
        "aliases": "bob: y@out.example",
    }
    for origin, expected in (("home.example", "x@out.example"), ("mx.home.example", "y@out.example")):
        done = imported(tmp_path, "home.example", main_cf=config, files={"/etc/mailname": f"{origin}\n"}, **tables)
        assert done.leads_to("info@home.example") == [expected]


def test_who_a_bare_name_is_without_main_cf(tmp_path: Path) -> None:
    """It is said where it matters."""
    tables: dict[str, Any] = {"virtual": "info@home.example bob\nbob@home.example x@out.example"}
    done = imported(tmp_path, "home.example", **tables)
    assert any("only main.cf knows $myorigin" in remark for remark in done.report.remarks)
    done = imported(tmp_path, "home.example", **tables, aliases="bob: y@out.example")
    assert "the alias bob if it is the host" in done.said("virtual", 1)


def test_the_keys_of_virtual_mailbox_maps_are_mailboxes_of_the_box(tmp_path: Path) -> None:
    config = (
        "mydestination = localhost\nvirtual_mailbox_maps = hash:/etc/vmailbox\nvirtual_alias_maps = hash:/etc/virtual"
    )
    lines = [
        "v.example x",
        "ann@v.example v/ann/",
        "bob@v.example v/bob/",
        "@v.example v/all/",
        "eve@else.example v/eve/",
    ]
    files = {"/etc/vmailbox": "\n".join(lines), "/etc/virtual": "bob@v.example bob@out.example"}
    done = imported(tmp_path, "v.example", main_cf=config, files=files)
    assert [done.verdict("/etc/vmailbox", line) for line in range(1, 6)] == [
        Verdict.TAKEN,
        Verdict.IMPOSSIBLE,
        Verdict.UNNEEDED,
        Verdict.IMPOSSIBLE,
        Verdict.UNNEEDED,
    ]
    assert done.verdict("main.cf", 2) is Verdict.TAKEN
    assert "--mailbox" in done.said("/etc/vmailbox", 2)
    gone = imported(tmp_path, "v.example", main_cf=config.replace("hash:/etc/vmailbox", "mysql:/etc/vmailbox.cf"))
    assert gone.verdict("main.cf", 2) is Verdict.IMPOSSIBLE


def test_a_line_that_is_impossible_excuses_the_addresses_alone_that_come_by_it(tmp_path: Path) -> None:
    aliases = "a: root, x@out.example\nb: y@out.example\nc: a\nd: :include:/etc/list\n"
    config = "mydestination = home.example\nvirtual_alias_maps = pcre:/etc/patterns"
    files = {"/etc/list": "bob\nz@out.example\n", "/etc/patterns": "/^in/ eve, z@out.example\n/^on/ z@out.example"}
    done = imported(tmp_path, "home.example", main_cf=config, aliases=aliases, files=files)
    excused = {
        name: is_impossible_on_the_way(done, f"{name}@home.example") for name in ("a", "b", "c", "d", "in", "on")
    }
    assert excused == {"a": True, "b": False, "c": True, "d": True, "in": True, "on": False}
