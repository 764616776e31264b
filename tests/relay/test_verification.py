"""A server that cannot be verified gets nothing: no password, no address, no mail. It all waits."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from . import certificates
from .certificates import Identity
from .postfix import Relay
from .ses_smtp import HOST, SesSmtp

BAD: dict[str, tuple[Callable[[Identity], Identity], str]] = {
    "wrong name": (lambda ours: certificates.server("mail.other.example", ours), "hostname mismatch"),
    "a name below": (lambda ours: certificates.server(f"x.{HOST}", ours), "hostname mismatch"),
    "expired": (lambda ours: certificates.server(HOST, ours, timedelta(days=-1)), "certificate has expired"),
    "signed by itself": (lambda _: certificates.server(HOST, None), "self-signed certificate"),
    "another authority": (lambda _: certificates.server(HOST, certificates.authority("stranger")), "untrusted issuer"),
}


def test_the_right_name_of_our_authority_is_verified(relay: Relay, ses: SesSmtp) -> None:
    relay.submit("shop@example.com", "jane@dest.example")
    relay.wait_for_log("status=sent")
    assert f"Verified TLS connection established to {HOST}" in relay.said()
    assert len(ses.state.sent) == 1


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_certificate_defers(relay: Relay, ses: SesSmtp, authority: Identity, folder: Path, fault: str) -> None:
    make, said = BAD[fault]
    ses.context = make(authority).context(folder, "bad")
    relay.submit("shop@example.com", "jane@dest.example")
    relay.wait_for_log(r"status=deferred \(Server certificate not (verified|trusted)\)")
    assert said in relay.said()
    assert_nothing_was_told(ses)

    ses.context = ses.good_context
    relay.run("postqueue", "-f")
    relay.wait_for(lambda: ses.state.sent)


def test_no_starttls_defers(relay: Relay, ses: SesSmtp) -> None:
    ses.state.starttls = False
    relay.submit("shop@example.com", "jane@dest.example")
    relay.wait_for_log("status=deferred .*TLS is required, but was not offered")
    assert_nothing_was_told(ses)


def assert_nothing_was_told(ses: SesSmtp) -> None:
    commands = {line.partition(b" ")[0].upper() for line in bytes(ses.state.clear).splitlines() if line}
    if ses.state.starttls:  # what follows is the handshake
        commands = {line for line in commands if line.isalpha()}
    assert commands <= {b"EHLO", b"STARTTLS", b"QUIT"}
    assert b"EHLO" in commands
    for secret in (b"AUTH", b"MAIL FROM", b"jane", b"shop", b"first-password", b"AKIAFIRST"):
        assert secret not in ses.state.clear
    assert not ses.state.sent
