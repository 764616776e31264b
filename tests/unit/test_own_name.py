"""Mail in our own name: the attacks that must be kept back, and our own mail, which must not."""

from typing import Any

import pytest
from postern_command.offline import offline_envelope
from postern_mail.mail.address import Address
from postern_mail.mail.header import Header
from postern_mail.mail.outcomes import State
from postern_mail.mail.own_name import impostor
from postern_mail.mail.plan import Policy
from postern_mail.mail.settings import KEY

from tests.builders import MESSAGE_ID, event, stored, verdict
from tests.forwarding_world import JANE, World

OWN = frozenset({"example.com", "team.example.org", "xn--mnchen-3ya.example"})
STRANGER = "mallory@evil.example"


def state(
    world: World | None = None, *, source: str = STRANGER, spf: str = "pass", dkim: str = "",
    header: str = "From: CEO <ceo@example.com>", helo: str = "mx.evil.example", **receipt: Any,
) -> str:  # fmt: skip
    """What becomes of a message to info@example.com."""
    world = world or World()
    world.policy = Policy(OWN)
    raw = header.encode().replace(b"\n", b"\r\n") + b"\r\nSubject: transfer\r\n\r\nbody"
    world.store.messages[MESSAGE_ID] = stored(raw, source=source, spf=spf, dkim=dkim, helo=helo)
    world.handle(event("info@example.com", source=source, **receipt))
    assert (world.mailer.destinations == [JANE]) == (world.states["info@example.com"] == State.FORWARDED)
    return world.states["info@example.com"]


@pytest.mark.parametrize(
    "header",
    [
        "From: CEO <ceo@example.com>",
        "From: ceo@example.com",
        "from : CEO <ceo@EXAMPLE.Com>",
        "From: CEO <ceo@example.com.>",
        "From: CEO <ceo @ example.com>",
        "From: CEO <ceo@\n example.com>",
        "From: CEO <@relay.evil.example:ceo@example.com>",
        "From: CEO <mailto:ceo@example.com>",
        "From: ceo@example.com (CEO)",
        "From: board: CEO <ceo@example.com>;",
        "From: =?utf-8?q?ceo=40example=2Ecom?=",
        "From: CEO <=?utf-8?q?ceo=40example=2Ecom?=>",
        "From: CEO <ceo@mail.example.com>",
        "From: CEO <ceo@a.b.c.example.com>",
        "From: CEO <ceo@team.example.org>",
        "From: CEO <ceo@xn--mnchen-3ya.example>",
        "From: CEO <ceo@m\u00fcnchen.example>",
        "From: Mallory <mallory@evil.example>, CEO <ceo@example.com>",
        "From: CEO <ceo@example.com>, Mallory <mallory@evil.example>",
        "From: <mallory@evil.example> <ceo@example.com>",
        "From: Mallory <mallory@evil.example>\nFrom: CEO <ceo@example.com>",
        "From: CEO <ceo@example.com>\nSender: mallory@evil.example",
        'From: "ceo@example.com"',
        "From: ceo@example.com@",
        "From: CEO ceo@\uff45xample.com@x",
    ],
)  # fmt: skip
def test_a_forged_from_of_ours_is_kept_back_however_it_is_written(header: str) -> None:
    """SPF passes, for the stranger's own MAIL FROM, and so does the stranger's signature."""
    assert state(header=header, dkim="evil.example") == "quarantined"


@pytest.mark.parametrize(
    "dmarc", [{}, *({"dmarcVerdict": verdict(one)} for one in ("GRAY", "PASS", "PROCESSING_FAILED", "FAIL"))]
)
def test_dmarcs_verdict_does_not_excuse_from_it(dmarc: dict[str, Any]) -> None:
    assert state(**dmarc) == "quarantined"


@pytest.mark.parametrize(
    ("source", "spf", "dkim"),
    [
        ("ceo@example.com", "fail", ""),
        ("ceo@example.com", "softfail", ""),
        ("ceo@example.com", "none", "evil.example"),
        ("ceo@team.example.org", "pass", ""),  # another domain of ours
        (STRANGER, "pass", "team.example.org"),
        (STRANGER, "pass", "com"),
        (STRANGER, "pass", "myexample.com"),
        (STRANGER, "pass", "example.com.evil.example"),
        ("x@myexample.com", "pass", ""),
        ("", "pass", ""),  # SPF is then that of HELO
        ('"x@evil.example"@example.com', "pass", ""),
        ("@evil.example:ceo@example.com", "pass", ""),
    ],
)
def test_only_a_result_for_the_domain_itself_speaks_for_it(source: str, spf: str, dkim: str) -> None:
    assert state(source=source, spf=spf, dkim=dkim, helo="example.com") == "quarantined"


def test_ses_contradicting_itself_speaks_for_no_one() -> None:
    assert state(source="ceo@example.com", spfVerdict=verdict("FAIL")) == "quarantined"


@pytest.mark.parametrize(
    "header",
    [
        "Authentication-Results: amazonses.com; spf=pass; dkim=pass header.i=@example.com;\nFrom: ceo@example.com",
        "X-SES-RECEIPT: x\nAuthentication-Results: amazonses.com;\n dkim=pass header.i=@example.com;\nFrom: ceo@example.com",
    ],
)
def test_results_that_the_sender_wrote_are_none(header: str) -> None:
    assert state(header=header, spf="fail") == "quarantined"


def test_a_letter_of_ours_with_a_second_from_on_top_is_kept_back() -> None:
    """Anybody may send a letter again that we signed; the signature covers the lower From."""
    header = "From: CEO <ceo@example.com>\nFrom: Trainee <trainee@example.com>"
    assert state(header=header, dkim="example.com") == "quarantined"


def test_without_a_from_the_envelopes_sender_is_shown_and_counts() -> None:
    assert state(header="To: x@y.example", source="ceo@example.com", spf="fail") == "quarantined"
    assert state(header="From: The CEO", source="ceo@example.com", spf="fail") == "forwarded", "no address is shown"


@pytest.mark.parametrize(
    ("source", "spf", "dkim", "header"),
    [
        # The relay, the digest: SES signs for the identity, and MAIL FROM is SES's or a domain below ours.
        ("0102@eu-west-1.amazonses.com", "pass", "example.com", "From: postmaster@example.com"),
        ("0102@bounce.example.com", "pass", "", "From: root@example.com"),
        ("0102@bounce.example.com", "pass", "", "From: cron@host1.example.com"),
        # A server of ours, with SPF only or DKIM only; no DMARC record is needed.
        ("ceo@example.com", "pass", "", "From: CEO <ceo@example.com>"),
        ("Ceo@Example.COM", "pass", "", "From: CEO <ceo@example.com>"),
        (STRANGER, "fail", "mail.example.com", "From: CEO <ceo@example.com>"),
        ("", "none", "example.com", "From: MAILER-DAEMON <mailer-daemon@example.com>"),
        # A domain of ours that is below another one, which its owner signs for.
        (STRANGER, "pass", "example.org", "From: CEO <ceo@team.example.org>"),
        ("ceo@example.com", "pass", "evil.example", "From: ceo@example.com, Mallory <mallory@evil.example>"),
        # A mailing list that writes its own address into From, as Mailman does for domains with DMARC.
        ("l-bounces@lists.example.net", "pass", "lists.example.net", "From: CEO via L <l@lists.example.net>"),
        # Not ours.
        (STRANGER, "fail", "", "From: ceo@myexample.com"),
        (STRANGER, "fail", "", "From: ceo@example.com.evil.example"),
        (STRANGER, "fail", "", "From: ceo@example.org"),
        (STRANGER, "pass", "", "From: Mallory <mallory@evil.example>\nSender: ceo@example.com\nReply-To: ceo@example.com"),
    ],
)  # fmt: skip
def test_our_own_mail_and_strangers_mail_are_forwarded(source: str, spf: str, dkim: str, header: str) -> None:
    assert state(source=source, spf=spf, dkim=dkim, header=header) == "forwarded"


def test_the_owners_post_that_a_mailing_list_sends_back_is_kept_for_him() -> None:
    """The list changed the body, so the signature is void, and MAIL FROM is the list's: as good as a forgery."""
    list_mail = "From: CEO <ceo@example.com>\nList-Id: <l.lists.example.net>"
    assert state(source="l-bounces@lists.example.net", dkim="lists.example.net", header=list_mail) == "quarantined"
    assert state(source="l-bounces@lists.example.net", dkim="example.com", header=list_mail) == "forwarded", "unchanged"


@pytest.mark.parametrize(
    ("policy", "becomes"), [("none", "forwarded"), ("quarantine", "quarantined"), ("", "forwarded")]
)
def test_as_published_leaves_it_to_dmarc(policy: str, becomes: str) -> None:
    world = World()
    world.tables.aliases[KEY] = {"own_from": "as-published"}
    assert state(world, dmarcVerdict=verdict("FAIL"), dmarcPolicy=policy) == becomes


def test_no_alias_and_no_rule_excuses_from_it() -> None:
    world = World()
    world.tables.aliases["info@example.com"] = {
        "destinations": [JANE],
        "verdicts": {"dmarc": "forward", "spf": "forward"},
    }
    world.tables.senders["ceo@example.com", "*"] = {"action": "OK"}
    world.tables.senders["evil.example", "*"] = {"action": "OK"}
    assert state(world, dmarcVerdict=verdict("FAIL")) == "quarantined"


def test_the_reason_names_the_author() -> None:
    world = World()
    state(world)
    (reason,) = (one.reason for (_, one) in world.ledger.outcomes.items())
    assert reason == "ceo@example.com in From is ours, and SES saw neither SPF nor DKIM pass for its domain"


def test_a_dry_run_of_a_stored_message_says_the_same_and_one_of_a_plain_file_asks_no_one() -> None:
    raw, to = b"From: CEO <ceo@example.com>\r\n\r\nbody", (Address.parse("info@example.com"),)
    for content, author in ((raw, ""), (stored(raw), "ceo@example.com"), (stored(raw, dkim="example.com"), "")):
        assert impostor(offline_envelope(content, to), Header.of(content), OWN) == author
