"""What SES's SMTP service lets a password do, with an IAM user that exists only for the run.

The user may send as one address, by ses:FromAddress alone: two messages then show whether SES applies that to From or
to the envelope sender.
"""

import json
import smtplib
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from postern_mail.aws import clients
from postern_mail.aws.failures import translated
from postern_mail.relay.smtp_password import smtp_password

from .cleaning import USERS, clean_users, prefix
from .experiment import Answer, Experiment
from .stage import SIMULATOR, Stage, region

PORT = 587
_TIMEOUT = 30  # seconds for a reply
_PAUSE = 3  # seconds between log-ins: a new key takes a while to reach SES
_TAKEN = 250


def _from_address(stage: Stage) -> Answer:
    try:
        return _judged(stage)
    except (OSError, smtplib.SMTPException) as failure:
        return Answer(untried=f"the conversation with SES's SMTP service broke off: {failure}")


def _judged(stage: Stage) -> Answer:
    sender, other = stage.names.sender, stage.names.address("other")
    with _logged_in(stage, sender) as smtp:
        if smtp is None:
            return Answer(untried="SES's SMTP service did not accept a new password in time")
        letter = stage.names.letter("from-address", SIMULATOR)
        usual = _said(smtp, sender, letter)
        if not usual[0]:
            return Answer(untried=f"SES refused the address itself (`{usual[1]}`)")
        by_from = _said(smtp, sender, letter.replace(f"From: {sender}".encode(), f"From: {other}".encode()))
        by_envelope = _said(smtp, other, letter)
    judged = [name for name, (taken, _) in (("From", by_from), ("the envelope sender", by_envelope)) if not taken]
    if not judged:
        return Answer("`ses:FromAddress` restricts neither From nor the envelope sender in SMTP.")
    refusal = by_envelope[1] if by_from[0] else by_from[1]
    return Answer(f"`ses:FromAddress` restricts {' and '.join(judged)} in SMTP (`{refusal}`).")


def _said(smtp: smtplib.SMTP, sender: str, raw: bytes) -> tuple[bool, str]:
    """(whether SES accepted the message, its last reply). Raises OSError and SMTPException."""
    code, said = smtp.mail(sender)
    if code == _TAKEN:
        code, said = smtp.rcpt(SIMULATOR)
    if code == _TAKEN:
        code, said = smtp.data(raw)
    smtp.rset()
    return code == _TAKEN, f"{code} {said.decode('ascii', 'replace')}"


@contextmanager
def _logged_in(stage: Stage, address: str) -> Iterator[smtplib.SMTP | None]:
    """An SMTP session as a user that may send as this address; None if SES does not accept the password in time."""
    name, here = f"{prefix(stage.stack)}{stage.names.run}", region()
    iam: Any = clients.iam()
    try:
        with translated("IAM, for the time of the run"):
            arn = iam.create_user(Path=USERS, UserName=name)["User"]["Arn"]
            iam.get_waiter("user_exists").wait(UserName=name)
            iam.put_user_policy(UserName=name, PolicyName="verify", PolicyDocument=_policy(arn, here, address))
            key = iam.create_access_key(UserName=name)["AccessKey"]
        password = smtp_password(key["SecretAccessKey"], here)
        with smtplib.SMTP(*endpoint(here), timeout=_TIMEOUT) as smtp:
            smtp.starttls(context=trust())
            yield smtp if _taken(smtp, key["AccessKeyId"], password, time.monotonic() + stage.patience) else None
    finally:
        list(clean_users(name))


def endpoint(here: str) -> tuple[str, int]:
    """The host and port of SES's SMTP service in a region."""
    return f"email-smtp.{here}.amazonaws.com", PORT


def trust() -> ssl.SSLContext:
    """TLS with the machine's certificate authorities."""
    return ssl.create_default_context()


def _taken(smtp: smtplib.SMTP, user: str, password: str, until: float) -> bool:
    while True:
        try:
            smtp.login(user, password)
        except smtplib.SMTPAuthenticationError:
            if time.monotonic() + _PAUSE >= until:
                return False
            time.sleep(_PAUSE)
        else:
            return True


def _policy(arn: str, here: str, address: str) -> str:
    partition, account = arn.split(":")[1], arn.split(":")[4]
    return json.dumps({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "ses:SendRawEmail",
                "Resource": f"arn:{partition}:ses:{here}:{account}:*",
                "Condition": {"StringEqualsIgnoreCase": {"ses:FromAddress": address}},
            }
        ],
    })  # fmt: skip


SUBMISSION = (
    Experiment(
        "from-address",
        "Whether `ses:FromAddress` judges From or the envelope",
        "up to three messages by SMTP to SES's mailbox simulator, as an IAM user that exists only for the run",
        "which of them SES accepts",
        0.0004,
        run=_from_address,
    ),
)
