"""Aliases that come and go by themselves, by real mail: names that a catch-all learns, and aliases that end."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from postern_command.tables.file import TablesFile
from postern_mail.aws.forward.learned import PARTITION as LEARNED
from postern_mail.aws.forward.uses import USES
from postern_mail.aws.watch.endings import PARTITION as ENDINGS

from emulator.system import Emulator
from tests.e2e.test_system import AUTHOR, JANE, JOE, Post

pytestmark = [pytest.mark.slow, pytest.mark.long]

NEWS, TRIP, SHOP, BANK = (f"{name}@example.com" for name in ("news", "trip", "shop", "bank"))
DAY = 86_400


@pytest.fixture
def post(emulator: Emulator) -> Iterator[Post]:
    yield Post(emulator)
    emulator.cloud.heard()  # what the watch told the owner meanwhile
    rows = [row for row in emulator.cloud.rows("AliasTable") if "learned_at" in row]
    emulator.cloud.delete("AliasTable", ({"address": row["address"]} for row in rows))
    mine = (LEARNED, USES, ENDINGS, "#summaries", "#watch")
    entries = [row for row in emulator.cloud.rows("LedgerTable") if row["message_id"].startswith(mine)]
    emulator.cloud.delete("LedgerTable", ({"message_id": row["message_id"], "entry": row["entry"]} for row in entries))


def tables(post: Post, tmp_path: Any, text: str) -> None:
    """The tables are those of this file, as `postern apply` makes them."""
    file = tmp_path / "tables.toml"
    file.write_text(f'domains = ["example.com"]\n{text}')
    post.emulator.load(TablesFile.load(file))


def row(post: Post, key: str) -> dict[str, Any]:
    return next((one for one in post.emulator.cloud.rows("AliasTable") if one["address"] == key), {})


def learned(post: Post) -> dict[str, str]:
    """Whom each learned name was learned from."""
    rows = post.emulator.cloud.rows("AliasTable")
    return {one["address"]: one["learned_from"] for one in rows if "learned_at" in one}


def state(post: Post, message_id: str, who: str) -> tuple[str, str]:
    entry = post.ledger(message_id)[f"to:{who}"]
    return entry["state"], entry["alias"]


CATCH_ALL = f"""
[aliases."@example.com"]
destinations = ["{JANE}"]
learn = true
learn_limit = 3
"""


def test_a_catch_all_learns_names_from_mail(post: Post, tmp_path: Any) -> None:
    """One story: a function that is warm remembers for the rest of the day that the limit was reached."""
    tables(post, tmp_path, f'{CATCH_ALL}[aliases."{NEWS}"]\ndestinations = ["{JOE}"]\n')
    first = post.send(SHOP, "Bank+visa@example.com", NEWS)
    assert post.arrived() == {JANE: 1, JOE: 1}, "one copy for two names that are learned"
    assert learned(post).keys() == {SHOP, BANK}, "without its tag, and no name that has a row"
    assert AUTHOR.rpartition("@")[2] in learned(post)[SHOP]
    assert state(post, first, SHOP)[0] in ("forwarded", "merged")

    again = post.send("SHOP@example.com")
    assert post.arrived() == {JANE: 2, JOE: 1}
    assert state(post, again, SHOP) == ("forwarded", SHOP), "its own row answers now"
    odd = post.send('"a b"@example.com')
    assert (state(post, odd, '"a b"@example.com')[0], len(learned(post))) == ("forwarded", 2), "no name to learn"

    post.emulator.cloud.put("AliasTable", [{**row(post, SHOP), "enabled": False}])
    assert state(post, post.send(SHOP), SHOP) == ("rejected", SHOP), "switched off"
    assert post.arrived() == {JANE: 3, JOE: 1, AUTHOR: 1}, "the sender was told"
    tables(post, tmp_path, CATCH_ALL.replace(JANE, JOE))
    assert learned(post).keys() == {SHOP, BANK}, "a table that is applied leaves them"
    post.send(BANK)
    assert post.arrived() == {JANE: 3, JOE: 2, AUTHOR: 1}, "they go where the domain's row leads now"

    late = [post.send(f"name{number}@example.com") for number in range(3)]
    assert post.arrived()[JOE] == 5, "beyond the limit of a day mail arrives all the same"
    assert learned(post).keys() == {SHOP, BANK, "name0@example.com"}
    assert state(post, late[2], "name2@example.com")[0] == "forwarded"


def test_an_alias_ends_after_so_many_messages(post: Post, tmp_path: Any) -> None:
    raffle = f'[aliases."{NEWS}"]\ndestinations = ["{JANE}", "{JOE}"]\nexpires_after = "3 messages"\n'
    tables(post, tmp_path, raffle)
    ids = [post.send(NEWS, "news+tag@example.com") for _ in range(2)]
    ids += [post.send(NEWS) for _ in range(3)]
    assert [state(post, one, NEWS)[0] for one in ids] == ["forwarded"] * 3 + ["rejected"] * 2
    assert post.arrived() == {JANE: 3, JOE: 3, AUTHOR: 2}, "a message counts once, and who was refused is told"
    (count,) = post.emulator.cloud.partition("LedgerTable", message_id=f"{USES}{NEWS}")
    assert len(count["seen"]) == 3
    tables(post, tmp_path, raffle.replace("3 messages", "4 messages"))
    ids = [post.send(NEWS) for _ in range(2)]
    assert [state(post, one, NEWS)[0] for one in ids] == ["forwarded", "rejected"], "the count goes on"


def test_what_was_rejected_or_kept_does_not_count(post: Post, tmp_path: Any) -> None:
    once = f'[aliases."{NEWS}"]\ndestinations = ["{JANE}"]\nexpires_after = "1 message"\n'
    rule = f'[[senders]]\nsender = "{AUTHOR}"\naction = "%s"\n'
    for action in ("REJECT", "HOLD"):
        tables(post, tmp_path, once + rule % action)
        post.send(NEWS)
    tables(post, tmp_path, once)
    assert state(post, post.send(NEWS), NEWS)[0] == "forwarded"
    assert state(post, post.send(NEWS), NEWS)[0] == "rejected"


@pytest.mark.parametrize(("until", "ended"), [
    ("2020-01-31", True), ("2099-01-31", False), ("2020-01-31T12:00:00+02:00", True), ("2099-01-31T00:00:00Z", False),
])  # fmt: skip
def test_an_alias_ends_by_date(post: Post, tmp_path: Any, until: str, ended: bool) -> None:
    tables(post, tmp_path, f'{CATCH_ALL}[aliases."{TRIP}"]\ndestinations = ["{JOE}"]\nexpires_at = {until}\n')
    message_id = post.send(TRIP)
    assert state(post, message_id, TRIP) == ("rejected" if ended else "forwarded", TRIP)
    assert post.arrived() == {AUTHOR if ended else JOE: 1}, "the catch-all does not get what has ended"


def test_an_alias_ends_without_use_after_the_owner_was_told(post: Post, tmp_path: Any) -> None:
    tables(post, tmp_path, f'[aliases."{TRIP}"]\ndestinations = ["{JANE}"]\nexpires_after = "14 days"\n')
    post.send(TRIP)
    assert post.arrived() == {JANE: 1}
    seen = []
    for days in (1, 10, 20):
        assert post.emulator.run_scheduled("WatchFunction", ahead=days * DAY) is None
        told = [one for one in post.emulator.cloud.partition("LedgerTable", message_id=ENDINGS) if one["entry"] == TRIP]
        seen.append((bool(told and told[0]["told_at"]), "expires_at" in row(post, TRIP)))
    assert seen == [(False, False), (True, False), (True, True)], "known, told, ended"
    ends = float(row(post, TRIP)["expires_at"])
    assert abs(ends - time.time() - 20 * DAY) < DAY
    post.emulator.cloud.put("AliasTable", [{**row(post, TRIP), "expires_at": int(time.time()) - 1}])
    assert state(post, post.send(TRIP), TRIP) == ("rejected", TRIP)
