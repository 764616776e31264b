"""In-memory stand-ins for what the rotation asks of the world, held to the truth by tests/contract."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from postern_mail.errors import LoginRefused, Unavailable
from postern_mail.relay.ports import CURRENT, PENDING, PREVIOUS, AccessKey, Credentials, Stored
from postern_mail.relay.smtp_password import smtp_password

from tests.fakes import FakeClock

REGION = "eu-west-1"


def nothing(call: str) -> None:
    """The hook that lets every call be."""


@dataclass
class FakeKeys:
    """The keys of one user. `hook` is told of every call before it is carried out and after."""

    keys: dict[str, str] = field(default_factory=dict)
    made: int = 0
    hook: Callable[[str], None] = nothing

    def ids(self) -> frozenset[str]:
        self.hook("ids")
        found = frozenset(self.keys)
        self.hook("ids done")
        return found

    def make(self) -> AccessKey:
        self.hook("make")
        if len(self.keys) == 2:
            raise Unavailable("LimitExceeded")
        self.made += 1
        key = AccessKey(f"AKIA{self.made:016d}", f"secret-{self.made}")
        self.keys[key.key_id] = key.secret
        self.hook("make done")
        return key

    def remove(self, key_id: str) -> None:
        self.hook("remove")
        self.keys.pop(key_id, None)
        self.hook("remove done")


@dataclass
class FakeVault:
    """The versions of one secret, as text, and their labels."""

    clock: FakeClock = field(default_factory=FakeClock)
    values: dict[str, tuple[str, float]] = field(default_factory=dict)
    labelled: dict[str, str] = field(default_factory=dict)
    hook: Callable[[str], None] = nothing

    def begin(self, value: str = "{}") -> None:
        """As CloudFormation makes the secret."""
        self.values["first"] = (value, self.clock.now())
        self.labelled[CURRENT] = "first"

    def rotate(self, version: str) -> None:
        """As RotateSecret leaves it: a version that has a label and no value."""
        self.labelled[PENDING] = version

    def labels(self) -> Mapping[str, frozenset[str]]:
        self.hook("labels")
        versions = set(self.labelled.values())
        found = {one: frozenset(name for name, those in self.labelled.items() if those == one) for one in versions}
        self.hook("labels done")
        return found

    def read(self, version: str) -> Stored | None:
        self.hook("read")
        text, made_at = self.values.get(version, ("", 0.0))
        self.hook("read done")
        return Stored(Credentials.from_text(text), made_at) if text else None

    def write(self, version: str, credentials: Credentials) -> None:
        self.hook("write")
        text = credentials.to_text()
        if self.values.setdefault(version, (text, self.clock.now()))[0] != text:
            raise Unavailable("ResourceExistsException")
        self.hook("write done")

    def promote(self, version: str, instead_of: str) -> None:
        self.hook("promote")
        if self.labelled[CURRENT] != instead_of:
            raise Unavailable("InvalidParameterException")
        self.labelled |= {PREVIOUS: instead_of, CURRENT: version}
        self.hook("promote done")

    def current(self) -> dict[str, str]:
        """The current value, as an instance reads it."""
        found: dict[str, str] = json.loads(self.values[self.labelled[CURRENT]][0])
        return found


@dataclass
class FakeLogin:
    """Takes the passwords of the keys that exist; `refusals` are counted down first."""

    keys: FakeKeys
    refusals: int = 0
    tried: list[str] = field(default_factory=list)

    def log_in(self, credentials: Credentials) -> None:
        self.tried.append(credentials.username)
        if self.refusals:
            self.refusals -= 1
            raise LoginRefused("535 Authentication Credentials Invalid")
        secret = self.keys.keys.get(credentials.username)
        if secret is None or smtp_password(secret, REGION) != credentials.password:
            raise LoginRefused("535 Authentication Credentials Invalid")


@dataclass
class FakeStepLog:
    lines: list[str] = field(default_factory=list)

    def done(self, what: str, **about: str) -> None:
        self.lines.append(f"{what} {about}")
