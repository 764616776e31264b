"""What an identity still needs: one that this stack made, and one that it found."""

from dataclasses import replace
from typing import Any

import pytest
from postern_mail.domains.plan import (
    CONFIGURATION_SET,
    FEEDBACK_BY_MAIL,
    KEY_LENGTH,
    LONG_KEY,
    MAIL_FROM_DOMAIN,
    MAKE,
    SIGN,
    Identity,
    Left,
    Step,
    identity_steps,
    release_steps,
)
from postern_mail.domains.wish import Wish

from tests.domain_fakes import STACK, properties

WISH = Wish.of(STACK, properties("example.com"))
BARE = Identity()  # made by hand, without anything
DONE = Identity(
    mail_from="bounces.example.com", configuration_set="postern-forward", feedback_by_mail=False, made_by="postern"
)


def steps(found: Identity | None, wish: Wish = WISH, before: Wish | None = None) -> list[tuple[str, str]]:
    """Kinds and values; `left` and why."""
    planned = identity_steps("example.com", found, wish, before)
    return [(one.kind, one.value) if isinstance(one, Step) else ("left", one.why) for one in planned]


def test_what_is_not_there_is_made() -> None:
    assert steps(None) == [(MAKE, "")]


def test_what_is_as_it_should_be_costs_no_call() -> None:
    assert steps(DONE) == []
    assert steps(replace(DONE, made_by="")) == []


def test_an_adopted_identity_gets_what_it_lacks() -> None:
    assert steps(replace(BARE, signs=False, next_key="RSA_1024_BIT")) == [
        (MAIL_FROM_DOMAIN, "bounces.example.com"),
        (CONFIGURATION_SET, "postern-forward"),
        (SIGN, "on"),
        (KEY_LENGTH, LONG_KEY),
        (FEEDBACK_BY_MAIL, ""),
    ]


@pytest.mark.parametrize("made_by", ["", "postern-dev"])
def test_an_adopted_identity_keeps_what_someone_chose(made_by: str) -> None:
    chosen = replace(DONE, mail_from="m.example.com", configuration_set="shop", made_by=made_by)
    assert steps(chosen) == [
        ("left", "its MAIL FROM domain is m.example.com, not bounces.example.com"),
        ("left", "its configuration set is shop, not postern-forward"),
    ]


def test_an_identity_of_ours_follows_the_template() -> None:
    changed = replace(DONE, mail_from="m.example.com", configuration_set="shop", feedback_by_mail=True)
    assert [kind for kind, _ in steps(changed)] == [MAIL_FROM_DOMAIN, CONFIGURATION_SET, FEEDBACK_BY_MAIL]


@pytest.mark.parametrize("made_by", ["", "postern"])
def test_what_we_set_on_an_adopted_identity_we_may_change(made_by: str) -> None:
    later = Wish.of(STACK, properties("example.com", MailFromLabel="b"))
    assert steps(replace(DONE, made_by=made_by), later, WISH) == [(MAIL_FROM_DOMAIN, "b.example.com")]
    none = Wish.of(STACK, properties("example.com", MailFromLabel=""))
    assert steps(replace(DONE, made_by=made_by), none, WISH) == [(MAIL_FROM_DOMAIN, "")]


@pytest.mark.parametrize(("signs", "left"), [(True, 0), (False, 1)])
def test_a_key_that_someone_brought_stays(signs: bool, left: int) -> None:
    found = identity_steps("example.com", replace(DONE, easy=False, signs=signs, next_key="RSA_1024_BIT"), WISH)
    assert [type(one) for one in found] == [Left] * left


def test_events_are_there_before_feedback_by_mail_ends_and_the_other_way_round() -> None:
    assert steps(replace(BARE, mail_from="bounces.example.com"))[-2:] == [
        (CONFIGURATION_SET, "postern-forward"), (FEEDBACK_BY_MAIL, ""),
    ]  # fmt: skip
    assert release_steps("example.com", DONE, WISH) == [
        Step(FEEDBACK_BY_MAIL, "example.com", "on"), Step(CONFIGURATION_SET, "example.com"),
    ]  # fmt: skip


@pytest.mark.parametrize("found", [None, BARE, replace(DONE, configuration_set="shop")])
def test_what_is_not_ours_is_given_nothing_back(found: Any) -> None:
    assert release_steps("example.com", found, WISH) == []
