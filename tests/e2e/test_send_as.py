"""Mail sent as an alias through SES's SMTP service: by the password of `postern send-as`, as its address and no other."""

import base64
import smtplib
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from cryptography.hazmat.primitives import serialization
from postern_command.aws.send_as import Password, SendAsUsers
from postern_mail.mail.address import Address

from emulator.cloud import HOST
from emulator.sending.delivery import private_key
from emulator.sending.events import NO_EMAIL
from emulator.system import Emulator
from tests.cloud_here import enter
from tests.e2e.test_system import AUTHOR, JANE, JOE, Post

INFO = "info@example.com"


@pytest.fixture
def post(emulator: Emulator) -> Post:
    return Post(emulator)


@pytest.fixture
def users(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[SendAsUsers]:
    enter(emulator.cloud, monkeypatch, **emulator.environment)
    made = SendAsUsers(emulator.template.stack)
    yield made
    for one in made.all():
        made.remove(one.name)


@pytest.fixture
def password(users: SendAsUsers) -> Password:
    return users.make(Address.parse(INFO))


def letter(author: str = INFO, **more: str) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = f"Info <{author}>", AUTHOR, "Offer 7"
    for name, value in more.items():
        made[name.replace("_", "-")] = value
    made.set_content("Our offer.\n")
    return made


def submit(post: Post, password: Password, made: EmailMessage, sender: str = INFO) -> None:
    with smtplib.SMTP(HOST, post.emulator.submission.port) as client:
        client.starttls()
        client.login(password.user, password.password)
        client.send_message(made, sender, [AUTHOR])
    post.emulator.settle()


def test_it_sends_as_the_alias_signed_by_the_domain(post: Post, password: Password) -> None:
    submit(post, password, letter())
    assert post.arrived() == {AUTHOR: 1}
    made = message_from_bytes(post.last(AUTHOR), policy=policy.default)
    assert (made["From"], made["Subject"]) == (f"Info <{INFO}>", "Offer 7")
    assert "d=example.com" in made["DKIM-Signature"]
    assert password.user.encode() not in post.last(AUTHOR)


@pytest.mark.parametrize(
    ("made", "sender"),
    [
        (letter("sales@example.com"), INFO),
        (letter(), "sales@example.com"),
        (letter("sales@example.com"), "sales@example.com"),
        (letter("info@other.example"), INFO),
        (letter("infox@example.com"), INFO),
    ],
    ids=["another From", "another envelope", "both", "another domain", "a longer name"],
)
def test_it_sends_as_no_other_address(post: Post, password: Password, made: EmailMessage, sender: str) -> None:
    with pytest.raises(smtplib.SMTPDataError) as refused:
        submit(post, password, made, sender)
    assert (refused.value.smtp_code, b"Access denied" in refused.value.smtp_error) == (554, True)
    assert not post.arrived()


def test_if_ses_judged_only_the_envelope_from_would_be_free(
    post: Post, password: Password, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reading that docs/quirks.md warns of, and `postern verify --only from-address` tells from the other."""
    monkeypatch.setattr(post.emulator.submission, "from_is_the_envelope", True)
    submit(post, password, letter("sales@example.com"))
    with pytest.raises(smtplib.SMTPDataError, match="Access denied"):
        submit(post, password, letter(), "sales@example.com")


def test_two_authors_are_each_judged(post: Post, password: Password) -> None:
    made = letter()
    made.replace_header("From", f"{INFO}, sales@example.com")
    with pytest.raises(smtplib.SMTPDataError, match="Access denied"):
        submit(post, password, made)


def test_another_configuration_set_is_refused(post: Post, password: Password) -> None:
    with pytest.raises(smtplib.SMTPDataError, match="configuration-set/other"):
        submit(post, password, letter(X_SES_CONFIGURATION_SET="other"))


def test_the_case_of_the_address_does_not_matter(post: Post, password: Password) -> None:
    submit(post, password, letter("INFO@Example.com"), "Info@example.com")
    assert post.arrived() == {AUTHOR: 1}


def test_a_password_that_was_rotated_or_removed_lets_no_one_in(
    post: Post, users: SendAsUsers, password: Password
) -> None:
    user = users.find(Address.parse(INFO))
    assert user is not None
    second = users.rotate(user)
    submit(post, password, letter())
    users.end(user)
    with pytest.raises(smtplib.SMTPAuthenticationError):
        submit(post, password, letter())
    submit(post, second, letter())
    users.remove(user.name)
    with pytest.raises(smtplib.SMTPAuthenticationError):
        submit(post, second, letter())


@pytest.mark.parametrize("wrong", [Password("", "AKIANOBODY", "x"), Password("", "", "")])
def test_no_one_else_logs_in(post: Post, password: Password, wrong: Password) -> None:
    for one in (wrong, Password("", password.user, "BWrong"), Password("", password.user, "")):
        with pytest.raises(smtplib.SMTPAuthenticationError):
            submit(post, one, letter())
    with smtplib.SMTP(HOST, post.emulator.submission.port) as client:
        with pytest.raises(smtplib.SMTPNotSupportedError):  # in clear no log-in is offered
            client.login(password.user, password.password)
        client.starttls()
        with pytest.raises(smtplib.SMTPSenderRefused):
            client.sendmail(INFO, [AUTHOR], letter().as_bytes())


def test_gmails_code_arrives_through_the_alias(post: Post) -> None:
    """As Gmail writes it to an address that is added under "Send mail as": to the alias, from an address of its own."""
    made = EmailMessage()
    made["From"], made["To"] = f"Gmail Team <{AUTHOR}>", INFO
    made["Subject"] = "Gmail Confirmation - Send Mail as info@example.com"
    made.set_content("Confirmation code: 123456789\n\nhttps://mail-settings.google.com/mail/vf-%5BANGjdJ8%5D\n")
    post.send(INFO, raw=made.as_bytes(policy=policy.SMTP))
    assert post.arrived()[JANE] == 1
    got = message_from_bytes(post.last(), policy=policy.default)
    assert "Confirmation code: 123456789\n" in got.get_content().replace("\r\n", "\n")
    assert "https://mail-settings.google.com/mail/vf-%5BANGjdJ8%5D" in got.get_content()
    assert "Gmail Confirmation - Send Mail as info@example.com" in got["Subject"]


def test_what_comes_back_is_told_to_those_who_get_the_aliass_mail(post: Post, password: Password) -> None:
    """Also where the sender has made it look like a forward, and a host's mail; no one's health hangs on it."""
    forged = "message=0123456789abcdef, destination=0123456789abcdef0123456789abcdef, kind=relay"
    post.emulator.sending.fates[AUTHOR] = [NO_EMAIL]
    submit(post, password, letter(X_SES_MESSAGE_TAGS=forged))
    arrived = post.arrived()
    assert arrived[JANE] == 1
    assert AUTHOR not in arrived
    told = message_from_bytes(post.last(), policy=policy.default)
    assert (told["Subject"], told["To"]) == ("Not delivered: Offer 7", INFO)
    assert f"  {AUTHOR}\n    Permanent NoEmail" in told.get_content().replace("\r\n", "\n")
    rows = post.emulator.cloud.rows("DestinationTable")
    assert not any("suspended_at" in row or row.get("failures") for row in rows)
    assert post.emulator.cloud.messages("FailureQueue") == []
    digest = post.digest(ahead=86_400).get_content()
    assert AUTHOR in digest, digest
    assert "postern send-as rotate info@example.com" in digest, digest


def test_of_mail_that_arrived_no_one_is_told(post: Post, password: Password) -> None:
    submit(post, password, letter())
    assert JANE not in post.arrived()
    assert JOE not in post.arrived()


def test_who_writes_to_another_alias_of_ours_is_not_taken_for_a_forger(
    post: Post, password: Password, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By SES's signature, as long as its key is in DNS; without it From is anybody's."""
    made, zone = letter(), post.emulator.zone
    made.replace_header("To", "team@example.com")
    monkeypatch.setattr(zone, "records", dict(zone.records))
    for expected in (Counter(), Counter({JANE: 1, JOE: 1})):
        before = post.arrived()
        with smtplib.SMTP(HOST, post.emulator.submission.port) as client:
            client.starttls()
            client.login(password.user, password.password)
            client.send_message(made, INFO, ["team@example.com"])
        post.emulator.settle()
        assert post.arrived() - before == expected
        public = serialization.load_pem_private_key(private_key(), None).public_key()
        key = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        zone.add("ses._domainkey.example.com", "TXT", f"v=DKIM1; k=rsa; p={base64.b64encode(key).decode()}")
