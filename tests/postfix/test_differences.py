"""What is listed as a difference is one: on the day either side changes, the list must too."""

import pytest

from . import ours
from .conversation import keys_looked_up
from .generated import LOCAL, OWN
from .ours import AliasTable, Expansion
from .server import Server
from .sink import Sink
from .test_aliases import judge as judge_local
from .test_virtual import judge as judge_virtual

KEYS = [
    # sender, what Postfix looks up, what we look up
    ("x@[192.0.2.1]", ("x@[192.0.2.1]", "[192.0.2.1]", "0.2.1]", "2.1]", "1]", "x@"), ("x@[192.0.2.1]", "[192.0.2.1]", "x@")),
    ('"a b"@c.org', ('"a b"@c.org', "a b@c.org", "c.org", "org", '"a b"@', "a b@"), ('"a b"@c.org', "c.org", "org", '"a b"@')),
    ("a..b@c.org", ('"a..b"@c.org', "a..b@c.org", "c.org", "org", '"a..b"@', "a..b@"), ("a..b@c.org", "c.org", "org", "a..b@")),
    ('"a+b c"@org', ('"a+b c"@org', "a+b c@org", "a@org", "org", '"a+b c"@', "a+b c@", "a@"), ('"a+b c"@org', "org", '"a+b c"@')),
    ("root", ("root@local.example", "local.example", "example", "root@"), ("root",)),
]  # fmt: skip
FORWARDED = Expansion(frozenset({"x@out.example"}))
FAILED = Expansion(failed=True)


@pytest.mark.parametrize(("sender", "theirs", "own"), KEYS, ids=[sender for sender, _, _ in KEYS])
def test_keys(postfix: Server, sender: str, theirs: tuple[str, ...], own: tuple[str, ...]) -> None:
    assert keys_looked_up(postfix, "parent", [sender]) == [theirs]
    assert ours.search_keys(sender, ours.PARENT) == own


def test_a_loop_in_one_branch_holds_all_here(postfix: Server, sink: Sink) -> None:
    table = AliasTable({f"a@{LOCAL}": [f"b@{LOCAL}", "x@out.example"], f"b@{LOCAL}": [f"a@{LOCAL}"]})
    assert judge_local(postfix, sink, table, [f"a@{LOCAL}"]) == [FORWARDED]
    assert ours.expand(table, f"a@{LOCAL}", [LOCAL], keep_tag=False) == FAILED


def test_ten_levels_are_the_most_here(postfix: Server) -> None:
    rows = {f"n{level}@one.example": [f"n{level + 1}@one.example"] for level in range(12)}
    table = AliasTable({**rows, "n12@one.example": ["x@out.example"]})
    assert judge_virtual(postfix, "virtual", table, ["n0@one.example"]) == [FORWARDED]
    assert ours.expand(table, "n0@one.example", OWN, keep_tag=True) == FAILED


def test_a_tagged_row_that_leads_to_itself_goes_on_untagged_in_aliases_5(postfix: Server, sink: Sink) -> None:
    table = AliasTable({f"a+t@{LOCAL}": [f"a+t@{LOCAL}", "y@out.example"], f"a@{LOCAL}": ["x@out.example"]})
    both = Expansion(frozenset({"x@out.example", "y@out.example"}))
    assert judge_local(postfix, sink, table, [f"a+t@{LOCAL}"]) == [both]
    own = Expansion(frozenset({"y@out.example"}))
    assert ours.expand(table, f"a+t@{LOCAL}", [LOCAL], keep_tag=False) == own
