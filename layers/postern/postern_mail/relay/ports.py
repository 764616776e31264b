"""What the rotation needs from outside, and the values passed between.

`aws.relay` and `smtp_login` hold the real implementations; tests/relay_fakes.py the in-memory ones, held to the same
contract tests.
"""

import json
from collections.abc import Mapping
from typing import Protocol

from ..mail.records import dataclass, field

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A new access key of the user; its secret can be read only this once."""

    key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Postfix's log-in. The secret holds it as the JSON object {"username": ..., "password": ...}."""

    username: str
    password: str = field(repr=False)

    def to_text(self) -> str:
        """The JSON text for the secret, on one line."""
        return json.dumps({"username": self.username, "password": self.password})

    @classmethod
    def from_text(cls, text: str) -> "Credentials | None":
        """Read the secret's text; None for `{}`, its initial value. Raises ValueError, which never quotes the text."""
        try:
            found = json.loads(text)
            return cls(found["username"], found["password"]) if found else None
        except (ValueError, TypeError, KeyError):
            raise ValueError("the secret is not a JSON object with username and password") from None


@dataclass(frozen=True, slots=True)
class Stored:
    """A version of the secret that has a value. `made_at` is in epoch seconds."""

    credentials: Credentials | None
    made_at: float


class Keys(Protocol):
    """The access keys of the one IAM user; IAM allows two."""

    def ids(self) -> frozenset[str]:
        """The ids of all keys. Raises Temporary."""

    def make(self) -> AccessKey:
        """Create one more key. Raises Temporary, also if there are two."""

    def remove(self, key_id: str) -> None:
        """Delete this key; one that is gone already is not an error. Raises Temporary."""


class Vault(Protocol):
    """The secret and its versions, which Secrets Manager distinguishes by labels."""

    def labels(self) -> Mapping[str, frozenset[str]]:
        """The labels of each version that has any. Raises Temporary."""

    def read(self, version: str) -> Stored | None:
        """A version's value, or None if it has none yet. Raises Temporary."""

    def write(self, version: str, credentials: Credentials) -> None:
        """Set the value of the pending version. Raises Temporary."""

    def promote(self, version: str, instead_of: str) -> None:
        """Move the label CURRENT; the version that had it becomes PREVIOUS. Raises Temporary."""


class Login(Protocol):
    """SES's SMTP service."""

    def log_in(self, credentials: Credentials) -> None:
        """Log in over verified TLS and disconnect. Raises LoginRefused, Unavailable."""


class StepLog(Protocol):
    """Logs each action. Never a password or a secret key; key ids are allowed."""

    def done(self, what: str, **about: str) -> None:
        """Log an action."""
