"""Restrictions by the form of a name against those of a running smtpd."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from . import ours
from .conversation import ask, greet
from .generated import domains, hosts, known_hosts
from .judging import judging
from .server import Server

HELO = ("invalid-helo", "non-fqdn-helo")
REFUSED, SYNTAX = (501, 504), "5.5.4"  # the last: smtpd takes it for no argument at all


def greetings(postfix: Server, service: str, names: list[str]) -> None:
    for name, reply in zip(names, greet(postfix, service, names), strict=True):
        assert SYNTAX not in reply.text, name
        assert (name, ours.refuses(service, helo=name)) == (name, reply.code in REFUSED)


def senders(postfix: Server, names: list[str]) -> None:
    """Of what has brackets SES takes a literal only, and smtpd repairs some."""
    asked = [f"x@{name}" for name in names if name.strip(".") and ("[" not in name or name == "[192.0.2.1]")]
    for sender, reply in zip(asked, ask(postfix, "non-fqdn-sender", asked), strict=True):
        if "5.1.7" in reply.text:  # smtpd takes it for no address before it comes to restrictions
            continue
        assert (sender, ours.refuses("non-fqdn-sender", sender=sender)) == (sender, reply.code in REFUSED)


@pytest.mark.parametrize("service", HELO)
def test_helo_names_that_are_known_to_be_hard(postfix: Server, service: str) -> None:
    greetings(postfix, service, list(known_hosts))


@pytest.mark.parametrize("service", HELO)
@judging(examples=40)
@given(names=st.lists(hosts, min_size=20, max_size=40, unique=True))
def test_helo_names_that_are_made(postfix: Server, service: str, names: list[str]) -> None:
    greetings(postfix, service, names)


def test_sender_domains_that_are_known_to_be_hard(postfix: Server) -> None:
    senders(postfix, list(known_hosts))


@judging(examples=40)
@given(names=st.lists(hosts | domains, min_size=20, max_size=40, unique=True))
def test_sender_domains_that_are_made(postfix: Server, names: list[str]) -> None:
    senders(postfix, names)


def test_the_null_sender_has_no_domain(postfix: Server) -> None:
    assert ask(postfix, "non-fqdn-sender", [""])[0].code == 250
    assert not ours.refuses("non-fqdn-sender", sender="<>")
