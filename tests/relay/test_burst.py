"""A burst over SES's rate: as many as SES takes leave the host, and none is refused and put back for a minute."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from .certificates import Identity
from .postfix import Relay
from .ses_smtp import SesSmtp

pytestmark = pytest.mark.slow
MESSAGES = 60


@pytest.fixture(params=["14", "4"], ids=["by connections", "by lanes"])
def paced(
    request: pytest.FixtureRequest, postfix_is_here: None, authority: Identity, folder: Path, ses: SesSmtp
) -> Iterator[Relay]:
    """A host with that rate, at an SES with the same one that answers after 150 ms."""
    host = folder / f"paced-{request.param}"
    host.mkdir()
    started = Relay(host, authority.certificate.public_bytes(Encoding.PEM), ses.port, rate=request.param)
    ses.state.rate, ses.state.latency = float(request.param), 0.15
    try:
        started.write_credentials("AKIAFIRST:first-password")
        started.start()
        yield started
    finally:
        started.close()


@pytest.mark.long  # on a busy machine a connection may time out
def test_a_burst_stays_below_the_rate(paced: Relay, ses: SesSmtp) -> None:
    messages = MESSAGES if ses.state.rate > 10 else MESSAGES // 3
    people = {f"jane{number}@burst.example" for number in range(messages)}
    for who in people:
        paced.submit("shop@example.com", who)
    # What another host had under way may come in between.
    paced.wait_for(lambda: people <= {who for one in ses.state.sent for who in one.recipients})
    assert ses.state.answered == []
    assert "status=deferred" not in paced.said()
