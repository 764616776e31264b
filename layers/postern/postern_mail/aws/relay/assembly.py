"""Puts the rotation together."""

import time
from typing import TYPE_CHECKING

from ...relay.rotation import Rotation
from ...relay.settings import RelaySettings
from ...relay.smtp_login import SmtpLogin
from .. import clients
from ..clock import SystemClock

if TYPE_CHECKING:
    pass
from .log import PowertoolsStepLog
from .user_keys import UserKeys
from .vault import SecretVault


def user_keys(settings: RelaySettings) -> UserKeys:
    """The keys of the stack's user."""
    return UserKeys(clients.iam(), settings.user)


def rotation(settings: RelaySettings, log: PowertoolsStepLog) -> Rotation:
    """The rotation on real AWS."""
    return Rotation(
        secret=settings.secret,
        region=settings.region,
        overlap=settings.overlap_hours * 3600,
        keys=user_keys(settings),
        vault=SecretVault(clients.secrets(), settings.secret),
        login=SmtpLogin(settings.host),
        clock=SystemClock(),
        pause=time.sleep,
        log=log,
    )
