"""A From of ours over real SMTP: a stranger's is kept for the owner, ours goes on, with no DMARC record anywhere."""

import pytest

from emulator.demo.letters import plain, signed
from emulator.system import Emulator
from tests.e2e.test_system import JANE, Post

STRANGER = "mallory@sender.example"  # whose SPF passes


@pytest.fixture
def post(emulator: Emulator) -> Post:
    return Post(emulator)


def test_a_forged_from_of_ours_is_kept_back(post: Post) -> None:
    message_id = post.send("info@example.com", raw=plain(author="CEO <ceo@example.com>"), sender=STRANGER)
    assert post.arrived() == {}
    found = post.ledger(message_id)["to:info@example.com"]
    assert (found["state"], found["reason"][:26]) == ("quarantined", "ceo@example.com in From is")


def test_a_signature_of_ours_is_enough(post: Post) -> None:
    """The relay, the digest, a server of ours: MAIL FROM is not in the domain, and no DMARC record is needed."""
    raw = signed(plain(author="CEO <ceo@example.com>"), post.emulator.zone, "example.com")
    post.send("info@example.com", raw=raw, sender=STRANGER)
    assert post.arrived() == {JANE: 1}


def test_a_signed_letter_with_another_from_on_top_is_kept_back(post: Post) -> None:
    raw = signed(plain(author="Trainee <trainee@example.com>"), post.emulator.zone, "example.com")
    post.send("info@example.com", raw=b"From: CEO <ceo@example.com>\r\n" + raw, sender=STRANGER)
    assert post.arrived() == {}


def test_as_published_forwards_it_where_nothing_is_published(post: Post) -> None:
    post.emulator.cloud.put("AliasTable", [{"address": "#settings", "own_from": "as-published"}])
    post.send("info@example.com", raw=plain(author="CEO <ceo@example.com>"), sender=STRANGER)
    assert post.arrived() == {JANE: 1}
