"""The relay's user and secret on moto's server, whose backends are in the process of the tests."""

from typing import Any

from moto.iam.models import iam_backends
from moto.secretsmanager.models import secretsmanager_backends
from postern_mail.relay.ports import PENDING

from tests.relay_fakes import REGION

USER, SECRET = "relay-smtp", "relay/smtp"
_ACCOUNT = "123456789012"


def user_keys() -> Any:
    """moto's list of the user's keys."""
    return iam_backends[_ACCOUNT]["aws"].users[USER].access_keys


def the_secret() -> Any:
    """moto's object for the secret."""
    return secretsmanager_backends[_ACCOUNT][REGION].secrets[SECRET]


def begin_rotation(version: str) -> None:
    """What RotateSecret leaves: a version with a label and no value. moto's own calls the steps itself."""
    secret = the_secret()
    secret.remove_version_stages_from_old_versions([PENDING])
    secret.versions[version] = {"version_id": version, "version_stages": [PENDING], "createdate": 1}
