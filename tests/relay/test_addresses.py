"""Whose mail it is: senders at this host become addresses at the domain, recipients at this host the owner."""

import smtplib
import socket

import pytest

from .postfix import OWNER, Relay
from .ses_smtp import SesSmtp

HOST = socket.gethostname()
HERE = ("root", "www-data", "root@localhost", "x@localhost.localdomain", f"admin@{HOST}", f"root@{HOST.upper()}")
OTHERS = ("root@ip-10-0-0-1.ec2.internal", "admin@web1.local", "user@mail.company.local", "x@otherhost")
ELSEWHERE = ("root@example.com", "jane@dest.example", "root@web1.example.net")

SENDERS = [
    ("root@ip-10-0-0-1", "root+ip-10-0-0-1@example.com"),
    ("root@ip-10-0-0-1.ec2.internal", "root+ip-10-0-0-1@example.com"),
    ("www-data@i-0abc.eu-west-1.compute.internal", "www-data+i-0abc@example.com"),
    ("root@localhost", "root@example.com"),
    ("root@localhost.localdomain", "root@example.com"),
    ("app@web1.local", "app+web1@example.com"),
    ("shop@example.com", "shop@example.com"),
]


def test_a_sender_at_this_host_is_one_at_the_domain_on_envelope_and_header(relay: Relay, ses: SesSmtp) -> None:
    for sender, _ in SENDERS:
        relay.submit(
            sender, "jane@dest.example", text=f"From: <{sender}>\nReply-To: {sender}\nSubject: {sender}\n\nHello\n"
        )
    relay.wait_for(lambda: len(ses.state.sent) == len(SENDERS))
    became = {str(sent.message["Subject"]): sent for sent in ses.state.sent}
    assert {sender: became[sender].sender for sender, _ in SENDERS} == dict(SENDERS)
    for sender, expected in SENDERS:
        assert str(became[sender].message["From"]) == expected
        assert str(became[sender].message["Reply-To"]) == expected


def test_crons_mail_to_root_reaches_the_owner(relay: Relay, ses: SesSmtp) -> None:
    relay.sendmail(
        "-FCronDaemon", "-i", "-odi", "-oem", "-oi", "-t", "-f", "root", text="From: root (Cron)\nTo: root\n\nHello\n"
    )
    relay.wait_for(lambda: ses.state.sent)
    (sent,) = ses.state.sent
    assert sent.recipients == (OWNER,)
    assert sent.sender.startswith("root")
    assert sent.sender.endswith("@example.com")
    assert sent.message["From"].addresses[0].addr_spec == sent.sender


def test_everyone_at_this_host_is_the_owner_and_no_one_elsewhere(relay: Relay, ses: SesSmtp) -> None:
    here = (*HERE, f"x@{relay.run('postconf', '-h', 'myhostname').strip()}")
    for recipient in (*here, *ELSEWHERE):
        relay.submit("root", recipient, text=f"Subject: {recipient}\n\nHello\n")
    relay.wait_for(lambda: len(ses.state.sent) == len(here) + len(ELSEWHERE))
    reached = {str(sent.message["Subject"]): sent.recipients for sent in ses.state.sent}
    assert reached == dict.fromkeys(here, (OWNER,)) | {recipient: (recipient,) for recipient in ELSEWHERE}


@pytest.mark.slow
@pytest.mark.parametrize("recipient", OTHERS)
def test_other_hosts_of_the_network_are_other_peoples(relay: Relay, ses: SesSmtp, recipient: str) -> None:
    """Not the owner's; and SES, which would bounce it, is not asked. sendmail(1) hears of it by a report."""
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        relay.submit("root", recipient)
    assert b"another name" in refused.value.recipients[recipient][1]
    relay.sendmail("-f", "root", recipient, text="Subject: x\n\nHello\n")
    relay.wait_for(lambda: ses.state.sent)
    (report,) = ses.state.sent
    assert report.recipients == (OWNER,)
    assert b"status: 5.1.2" in report.content.lower()


def test_the_name_of_the_host_itself_counts(relay: Relay, ses: SesSmtp) -> None:
    relay.run("postconf", "-e", "myhostname=web1.shop.example.net")
    try:
        relay.run("postfix", "reload")
        relay.sendmail("-f", "backup", "root", text="Subject: x\n\nHello\n")
        relay.wait_for(lambda: ses.state.sent)
    finally:
        relay.run("postconf", "-X", "myhostname")
        relay.run("postfix", "reload")
    assert (ses.state.sent[0].sender, ses.state.sent[0].recipients) == ("backup@example.com", (OWNER,))


ORDERS = """\
X-SES-Configuration-Set: other
x-ses-message-tags: message=x, destination=y
X-SES-Source-ARN : arn:aws:ses:eu-west-1:1:identity/victim.example
X-SES-Return-Path-ARN:
 arn:aws:ses:eu-west-1:1:identity/victim.example
X-Ses-From-Arn:x
"""


def test_what_ses_takes_for_orders_is_the_relays_alone(relay: Relay, ses: SesSmtp) -> None:
    """The configuration set and the tag are named once; a program's own go, by SMTP and by sendmail(1)."""
    relay.submit("root", "jane@dest.example", text=f"From: root\n{ORDERS}Received: x\n\nX-SES-Of-The-Body: y\n")
    relay.sendmail("-f", "root", "jane@dest.example", text=f"{ORDERS}Subject: no From\n\nX-SES-Of-The-Body: y\n")
    relay.wait_for(lambda: len(ses.state.sent) == 2)
    for sent in ses.state.sent:
        names = sorted(name.lower() for name in sent.message if name.lower().startswith("x-ses"))
        assert names == ["x-ses-configuration-set", "x-ses-message-tags"]
        assert sent.message["X-SES-MESSAGE-TAGS"] == "kind=relay"
        assert b"X-SES-Of-The-Body" in sent.content


def test_the_configuration_set_is_named_once_and_is_the_stacks(relay: Relay, ses: SesSmtp) -> None:
    relay.submit("root", "jane@dest.example", text="From: root\nX-SES-Configuration-Set: other\nReceived: x\n\nHello\n")
    relay.sendmail("jane@dest.example", text="Subject: no From\n\nHello\n")
    relay.wait_for(lambda: len(ses.state.sent) == 2)
    for sent in ses.state.sent:
        assert sent.message.get_all("X-SES-CONFIGURATION-SET") == ["postern"]
