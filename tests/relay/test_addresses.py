"""Whose mail it is: senders at this host become addresses at the domain, recipients at this host the owner."""

from .postfix import OWNER, Relay
from .ses_smtp import SesSmtp

HERE = ("root", "www-data", "root@localhost", "root@ip-10-0-0-1.ec2.internal", "admin@web1.local", "x@otherhost")
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


def test_everybody_at_this_host_is_the_owner_and_nobody_elsewhere(relay: Relay, ses: SesSmtp) -> None:
    for recipient in (*HERE, *ELSEWHERE):
        relay.submit("root", recipient, text=f"Subject: {recipient}\n\nHello\n")
    relay.wait_for(lambda: len(ses.state.sent) == len(HERE) + len(ELSEWHERE))
    reached = {str(sent.message["Subject"]): sent.recipients for sent in ses.state.sent}
    assert reached == dict.fromkeys(HERE, (OWNER,)) | {recipient: (recipient,) for recipient in ELSEWHERE}


def test_the_name_of_the_host_itself_counts(relay: Relay, ses: SesSmtp) -> None:
    relay.run("postconf", "-e", "myhostname=web1.shop.example.net")
    try:
        relay.run("postfix", "reload")
        relay.sendmail("-f", "backup", "root", text="Subject: x\n\nHello\n")
        relay.wait_for(lambda: ses.state.sent)
    finally:
        relay.run("postconf", "-X", "myhostname")
    assert (ses.state.sent[0].sender, ses.state.sent[0].recipients) == ("backup@example.com", (OWNER,))


def test_the_configuration_set_is_named_once_and_is_the_stacks(relay: Relay, ses: SesSmtp) -> None:
    relay.submit("root", "jane@dest.example", text="From: root\nX-SES-Configuration-Set: other\nReceived: x\n\nHello\n")
    relay.sendmail("jane@dest.example", text="Subject: no From\n\nHello\n")
    relay.wait_for(lambda: len(ses.state.sent) == 2)
    for sent in ses.state.sent:
        assert sent.message.get_all("X-SES-CONFIGURATION-SET") == ["postern"]
