"""`postern dns`: what is wrong with the records of a domain, in the sentence that the user reads."""

from collections.abc import Callable
from typing import Any

import pytest
from postern_command import dns
from postern_command.records import public

from emulator.receiving.name_server import SERVFAIL, SILENCE
from tests.pseudo_terminal import on_a_terminal
from tests.world import DOMAIN, MX, SPF, World

from .conftest import Office
from .test_screens import COLOUR

INBOUND = f"10 {MX}"


def look(office: Office, *arguments: str, status: int) -> list[dict[str, Any]]:
    done = office.run("dns", DOMAIN, "--json", *arguments)
    assert done.status == status, done.out + done.err
    return done.objects


def test_all_is_right(office: Office, world: World) -> None:
    found = look(office, status=0)
    assert {one["state"] for one in found} == {"right"}
    assert [one["part"] for one in found] == ["dkim", "dkim", "dkim", "mailfrom", "mailfrom", "spf", "dmarc", "mx"]
    assert [one["todo"] for one in found] == [""] * 8
    shown = office.run("dns", DOMAIN)
    assert shown.out.startswith("example.com\n")
    assert shown.out.endswith("6 of 6 right\n")


Change = Callable[[World], None]


def put(*sets: tuple[str, ...]) -> Change:
    """Name, type and values of record sets that are there instead; without values none is."""

    def change(world: World) -> None:
        for one in sets:
            world.put(*one)

    return change


def nothing(world: World) -> None:
    for server in (world.names, world.second):
        server.zone.records.clear()


def old(world: World) -> None:
    del world.second.zone.records[DOMAIN, "MX"]


# What is done to a domain where all was well; the part that shows it, its state, and what the user reads.
BAD: dict[str, tuple[Change, str, str, str]] = {
    "no MX": (
        put(
            (
                DOMAIN,
                "MX",
            )
        ),
        "mx",
        "missing",
        f"add {DOMAIN} MX {INBOUND}; it moves the mail to Postern",
    ),
    "mail at Google": (
        put(
            (
                DOMAIN,
                "MX",
                "1 aspmx.l.google.com",
            )
        ),
        "mx",
        "in the way",
        f"mail goes to 1 aspmx.l.google.com (Google) now; to move it to Postern, replace that with {INBOUND}",
    ),
    "a second MX": (
        put(
            (
                DOMAIN,
                "MX",
                INBOUND,
                "20 mx.old.example",
            )
        ),
        "mx",
        "in the way",
        "remove 20 mx.old.example: some mail goes there",
    ),
    "MX of another region": (
        put(
            (
                DOMAIN,
                "MX",
                "10 inbound-smtp.us-east-1.amazonaws.com",
            )
        ),
        "mx",
        "in the way",
        "mail goes to 10 inbound-smtp.us-east-1.amazonaws.com (SES in us-east-1) now; to move it"
        f" to Postern, replace that with {INBOUND}",
    ),
    "MX at the domain that sends": (
        put(
            (
                DOMAIN,
                "MX",
                "10 inbound-smtp.eu-west-1.amazonses.com",
            )
        ),
        "mx",
        "in the way",
        "mail goes to 10 inbound-smtp.eu-west-1.amazonses.com (a typing error: SES receives at"
        f" inbound-smtp.eu-west-1.amazonaws.com) now; to move it to Postern, replace that with {INBOUND}",
    ),
    "null MX": (
        put(
            (
                DOMAIN,
                "MX",
                "0 .",
            )
        ),
        "mx",
        "in the way",
        "mail goes to 0  (the null MX, which says that the domain accepts no mail, RFC 7505) now; to move it"
        f" to Postern, replace that with {INBOUND}",
    ),
    "no DKIM": (
        put(
            (
                f"one._domainkey.{DOMAIN}",
                "CNAME",
            )
        ),
        "dkim",
        "missing",
        "add one._domainkey.example.com CNAME one.dkim.amazonses.com",
    ),
    "the domain twice": (
        put(
            (
                f"one._domainkey.{DOMAIN}",
                "CNAME",
            ),
            (
                f"one._domainkey.{DOMAIN}.{DOMAIN}",
                "CNAME",
                "one.dkim.amazonses.com",
            ),
        ),
        "dkim",
        "missing",
        "it is at one._domainkey.example.com.example.com: your DNS provider adds the domain itself, so enter"
        " 'one._domainkey' as the name",
    ),
    "DKIM of another identity": (
        put(
            (
                f"one._domainkey.{DOMAIN}",
                "CNAME",
                "old.dkim.amazonses.com",
            )
        ),
        "dkim",
        "in the way",
        "replace it with one.dkim.amazonses.com; nothing else may be there",
    ),
    "two MX for MAIL FROM": (
        put(
            (
                f"bounces.{DOMAIN}",
                "MX",
                "10 feedback-smtp.eu-west-1.amazonses.com",
                "20 mx.old.example",
            )
        ),
        "mailfrom",
        "in the way",
        "replace it with 10 feedback-smtp.eu-west-1.amazonses.com; nothing else may be there",
    ),
    "a CNAME for MAIL FROM": (
        put(
            (
                f"bounces.{DOMAIN}",
                "MX",
            ),
            (
                f"bounces.{DOMAIN}",
                "TXT",
            ),
            (
                f"bounces.{DOMAIN}",
                "CNAME",
                "elsewhere.example",
            ),
        ),
        "mailfrom",
        "in the way",
        "remove the CNAME from bounces.example.com to elsewhere.example: beside a CNAME no other record counts"
        " (RFC 1034 3.6.2)",
    ),
    "SPF of others": (
        put(
            (
                DOMAIN,
                "TXT",
                "v=spf1 include:_spf.google.com -all",
            )
        ),
        "spf",
        "in the way",
        'let SES send too: replace it with "v=spf1 include:amazonses.com include:_spf.google.com -all"',
    ),
    "two SPF records": (
        put(
            (
                DOMAIN,
                "TXT",
                SPF,
                "v=spf1 mx -all",
            )
        ),
        "spf",
        "in the way",
        "merge these SPF records into one: with two, neither counts",
    ),
    "no SPF": (
        put(
            (
                DOMAIN,
                "TXT",
                "v=spf10",
            )
        ),
        "spf",
        "missing",
        f'add {DOMAIN} TXT "{SPF}"',
    ),
    "no DMARC": (
        put(
            (
                f"_dmarc.{DOMAIN}",
                "TXT",
            )
        ),
        "dmarc",
        "missing",
        'add _dmarc.example.com TXT "v=DMARC1; p=none"',
    ),
    "two DMARC records": (
        put(
            (
                f"_dmarc.{DOMAIN}",
                "TXT",
                "v=DMARC1; p=none",
                "v=DMARC1; p=reject",
            )
        ),
        "dmarc",
        "in the way",
        "merge these DMARC records into one: with two, neither counts",
    ),
    "DMARC without a policy": (
        put(
            (
                f"_dmarc.{DOMAIN}",
                "TXT",
                "v=DMARC1; rua=mailto:a@b.example",
            )
        ),
        "dmarc",
        "in the way",
        "give it a policy, such as p=none",
    ),
    "no such domain": (
        nothing,
        "mx",
        "missing",
        "example.com is not in public DNS: is it registered, and are its name servers set at the registrar?",
    ),
    "an old answer": (
        old,
        "mx",
        "not everywhere",
        "1 of 2 resolvers see it; the others still have the old record cached",
    ),
}


@pytest.mark.parametrize("situation", BAD)
def test_what_is_wrong_is_said_in_one_sentence(office: Office, world: World, situation: str) -> None:
    change, part, state, todo = BAD[situation]
    change(world)
    found = look(office, status=0 if part in ("spf", "dmarc") and state == "missing" else 1)
    wrong = [one for one in found if one["part"] == part and one["state"] != "right"]
    assert (wrong[0]["state"], wrong[0]["todo"]) == (state, todo)


def test_what_to_do_stands_below_the_record(office: Office, world: World) -> None:
    world.put(DOMAIN, "MX", INBOUND, "20 mx.old.example")
    assert office.run("dns", DOMAIN).out.endswith(
        f"                found: {INBOUND}, 20 mx.old.example\n"
        "                -> remove 20 mx.old.example: some mail goes there\n"
        "5 of 6 right; mx in the way\n"
    )


def test_a_resolver_that_fails_does_not_count(office: Office, world: World) -> None:
    world.second.faults[DOMAIN] = SERVFAIL
    assert {one["state"] for one in look(office, status=0)} == {"right"}


def test_no_name_server_answers(office: Office, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public, "SECONDS", 0.2)
    world.names.faults[DOMAIN] = SILENCE
    world.second.faults[DOMAIN] = SERVFAIL
    found = {one["part"]: one for one in look(office, status=3)}
    assert found["mx"]["state"] == "no answer"
    assert "POSTERN_RESOLVERS (127.0.0.1: no answer within" in found["mx"]["todo"]
    assert found["dkim"]["state"] == "right"


def test_without_the_right_to_ask_ses_it_says_so_and_shows_the_rest(office: Office, world: World) -> None:
    world.standing.denied.add("GetEmailIdentity")
    done = office.run("dns", DOMAIN)
    assert done.status == 0
    assert (
        "could not ask SES for its DKIM and MAIL FROM records: SES GetEmailIdentity example.com: AccessDenied"
        in done.err
    )
    assert MX in done.out


def test_before_the_deployment(office: Office, world: World) -> None:
    world.standing.identities.there.clear()
    done = office.run("dns", DOMAIN)
    assert done.status == 1
    assert "example.com is not an SES identity yet; SES gives its DKIM records after `make deploy`" in done.err
    assert "bounces" in done.out


def test_a_zone_file_has_what_is_missing_and_what_is_in_the_way_as_a_comment(office: Office, world: World) -> None:
    world.put(DOMAIN, "MX", "1 aspmx.l.google.com")
    world.put(f"one._domainkey.{DOMAIN}", "CNAME")
    out = office.run("dns", DOMAIN, "--zone-file").out
    assert out.splitlines()[0] == "one._domainkey.example.com. 1800 IN CNAME one.dkim.amazonses.com."
    assert out.splitlines()[-1] == f"; example.com. 300 IN MX {INBOUND}."
    assert len(out.splitlines()) == 3


def test_only_some_parts(office: Office, world: World) -> None:
    world.put(DOMAIN, "MX")
    assert {one["part"] for one in look(office, "--only", "dkim", "--only", "spf", status=0)} == {"dkim", "spf"}
    assert office.run("dns", DOMAIN, "--only", "dmcar").status == 2


def test_the_domains_are_those_of_the_stack(office: Office, world: World) -> None:
    assert office.run("dns").out.startswith("example.com\n")


def test_it_waits_until_all_is_right_and_ses_has_seen_it(
    office: Office, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put(DOMAIN, "MX")
    world.known.verified = False
    steps: list[Callable[[], object]] = [
        lambda: world.put(DOMAIN, "MX", INBOUND),
        lambda: setattr(world.known, "verified", True),
    ]
    monkeypatch.setattr(dns, "_pause", lambda _: steps.pop(0)())
    done = office.run("dns", "--wait", DOMAIN)
    assert (done.status, steps) == (0, [])
    assert done.err.splitlines() == [
        "5 of 6 right; mx missing, SES has not verified example.com",
        "6 of 6 right; SES has not verified example.com",
        "6 of 6 right",
    ]


def test_it_gives_up_when_the_time_is_over(office: Office, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put(DOMAIN, "MX")
    clock = iter(range(0, 10_000, 31))
    monkeypatch.setattr(dns, "_clock", lambda: next(clock))
    monkeypatch.setattr(dns, "_pause", lambda _: None)
    assert office.run("dns", "--wait", "--minutes", "1", DOMAIN).status == 1


def test_a_list_of_resolvers_that_is_none(office: Office, world: World) -> None:
    done = office.run("dns", DOMAIN, POSTERN_RESOLVERS="here")
    assert (done.status, done.err.startswith("postern: POSTERN_RESOLVERS: ")) == (2, True)


SCREEN = """\
example.com
right           CNAME  one._domainkey              one.dkim.amazonses.com
right           CNAME  two._domainkey              two.dkim.amazonses.com
right           CNAME  three._domainkey            three.dkim.amazonses.com
right           MX     bounces                     10 feedback-smtp.eu-west-1.\u2026
right           TXT    bounces                     "v=spf1 include:amazonses.c\u2026
right           TXT    @                           "v=spf1 include:amazonses.c\u2026
missing*        TXT    _dmarc                      "v=DMARC1; p=none"
                -> add _dmarc.example.com TXT "v=DMARC1; p=none"
in the way      MX     @                           10 inbound-smtp.eu-west-1.a\u2026
                found: 1 aspmx.l.google.com
                -> mail goes to 1 aspmx.l.google.com (Google) now; to move it to
                Postern, replace that with 10
                inbound-smtp.eu-west-1.amazonaws.com
* advice: mail flows without it, and it is not counted
5 of 6 right; mx in the way
"""


@pytest.mark.slow
def test_on_a_terminal(office: Office, world: World) -> None:
    world.put(f"_dmarc.{DOMAIN}", "TXT")
    world.put(DOMAIN, "MX", "1 aspmx.l.google.com")
    status, screen = on_a_terminal("dns", DOMAIN)
    assert status == 1
    shown = COLOUR.sub("", screen)
    assert [line.rstrip() for line in shown.splitlines()] == SCREEN.splitlines()
