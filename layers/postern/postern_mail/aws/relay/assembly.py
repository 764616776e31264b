"""Assembles the rotation."""

import time
from typing import TYPE_CHECKING

from ...relay.environment import RelayEnvironment
from ...relay.rotation import Rotation
from ...relay.smtp_login import SmtpLogin
from .. import clients
from ..clock import SystemClock

if TYPE_CHECKING:
    pass
from .log import PowertoolsStepLog
from .user_keys import UserKeys
from .vault import SecretVault


def user_keys(environment: RelayEnvironment) -> UserKeys:
    """The keys of the stack's user."""
    return UserKeys(clients.iam(), environment.user)


def rotation(environment: RelayEnvironment, log: PowertoolsStepLog) -> Rotation:
    """The rotation on real AWS."""
    return Rotation(
        secret=environment.secret,
        region=environment.region,
        overlap=environment.overlap_hours * 3600,
        keys=user_keys(environment),
        vault=SecretVault(clients.secrets(), environment.secret),
        login=SmtpLogin(environment.host),
        clock=SystemClock(),
        pause=time.sleep,
        log=log,
    )
