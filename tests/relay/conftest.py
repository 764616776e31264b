"""One Postfix and one SES for all tests here. Without Postfix they are skipped, loudly, and fail if CI says so."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.required import without

from . import certificates
from .certificates import Identity
from .postfix import HOW_TO_GET_IT, Relay, missing
from .ses_smtp import HOST, SesSmtp


def demand(why: str) -> None:
    """Skip if there is a reason; where the variable says that nothing may be skipped, fail."""
    if why:
        without(f"{why}: {HOW_TO_GET_IT}")


@pytest.fixture(scope="session")
def postfix_is_here() -> None:
    demand(missing())


@pytest.fixture(scope="session")
def authority() -> Identity:
    return certificates.authority()


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Not pytest's own, which is closed to Postfix's users, and closed again by each other run."""
    with tempfile.TemporaryDirectory(prefix="postern-relay-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture(scope="session")
def running_ses(authority: Identity, folder: Path) -> Iterator[SesSmtp]:
    service = SesSmtp(certificates.server(HOST, authority).context(folder, "ses"))
    service.start()
    yield service
    service.stop()


@pytest.fixture(scope="session")
def running_relay(postfix_is_here: None, authority: Identity, folder: Path, running_ses: SesSmtp) -> Iterator[Relay]:
    host = folder / "host"
    host.mkdir()
    pem = authority.certificate.public_bytes(Encoding.PEM)
    started = Relay(host, pem, running_ses.port, configuration_set="postern")
    try:
        started.start()
        yield started
    finally:
        started.close()


@pytest.fixture
def ses(running_ses: SesSmtp) -> SesSmtp:
    running_ses.reset()
    return running_ses


@pytest.fixture
def relay(running_relay: Relay, ses: SesSmtp) -> Relay:
    running_relay.reset()
    return running_relay
