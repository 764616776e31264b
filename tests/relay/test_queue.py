"""A restart with a full queue loses nothing and doubles nothing."""

from .postfix import Relay
from .ses_smtp import BUSY, SesSmtp

MESSAGES = 60


def test_a_restart_with_a_full_queue_loses_nothing(relay: Relay, ses: SesSmtp) -> None:
    ses.state.greeting = BUSY
    for number in range(MESSAGES):
        relay.submit(
            "shop@example.com", "jane@dest.example", text=f"From: shop@example.com\nSubject: {number}\n\nHello\n"
        )
    assert len(relay.queued()) == MESSAGES
    relay.stop()
    relay.sendmail("-f", "root", "root", text="Subject: while it is down\n\nHello\n")
    ses.state.greeting = ""
    relay.start()
    relay.empty()
    subjects = [str(sent.message["Subject"]) for sent in ses.state.sent]
    assert sorted(subjects) == sorted([*map(str, range(MESSAGES)), "while it is down"])
    assert "status=bounced" not in relay.said()
