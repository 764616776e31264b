"""What the rotation asks of the world, and the values that pass between.

`aws.relay` and `smtp_login` hold the real ones; tests/relay_fakes.py the in-memory ones, held to the
same contract tests.
"""

import json
from collections.abc import Mapping
from typing import Protocol

from ..mail.records import dataclass, field

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A new access key of the user; its secret can be read this one time only."""

    key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What Postfix logs in with. In the secret it is the JSON object {"username": ..., "password": ...}."""

    username: str
    password: str = field(repr=False)

    def to_text(self) -> str:
        """As it is kept in the secret, on one line."""
        return json.dumps({"username": self.username, "password": self.password})

    @classmethod
    def from_text(cls, text: str) -> "Credentials | None":
        """None for `{}`, with which the stack begins. Raises ValueError, which never quotes the text."""
        try:
            found = json.loads(text)
            return cls(found["username"], found["password"]) if found else None
        except (ValueError, TypeError, KeyError):
            raise ValueError("the secret is no JSON object with username and password") from None


@dataclass(frozen=True, slots=True)
class Stored:
    """A version of the secret that has a value. `made_at` is in seconds since 1970."""

    credentials: Credentials | None
    made_at: float


class Keys(Protocol):
    """The access keys of the one IAM user; IAM allows two."""

    def ids(self) -> frozenset[str]:
        """The ids of all keys. Raises Temporary."""

    def make(self) -> AccessKey:
        """One more key. Raises Temporary, also if there are two."""

    def remove(self, key_id: str) -> None:
        """This key is no more; one that is gone already is no fault. Raises Temporary."""


class Vault(Protocol):
    """The secret and its versions, which Secrets Manager tells apart by labels."""

    def labels(self) -> Mapping[str, frozenset[str]]:
        """The labels of each version that has any. Raises Temporary."""

    def read(self, version: str) -> Stored | None:
        """A version's value, or None if it has none yet. Raises Temporary."""

    def write(self, version: str, credentials: Credentials) -> None:
        """Give the pending version its value. Raises Temporary."""

    def promote(self, version: str, instead_of: str) -> None:
        """Move the label CURRENT; the version that had it becomes PREVIOUS. Raises Temporary."""


class Login(Protocol):
    """SES's SMTP service."""

    def log_in(self, credentials: Credentials) -> None:
        """Log in over verified TLS and leave. Raises LoginRefused, Unavailable."""


class StepLog(Protocol):
    """One line for each thing that was done. Never a password or a secret key; ids of keys may be."""

    def done(self, what: str, **about: str) -> None:
        """Something was done."""
