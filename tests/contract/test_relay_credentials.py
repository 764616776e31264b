"""The keys and the secret of the relay: the fakes and the real ones on moto, held to the same; and the whole
rotation on moto, killed before and after every call it makes."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import boto3
import pytest
from postern_mail.aws.relay.user_keys import UserKeys
from postern_mail.aws.relay.vault import SecretVault
from postern_mail.errors import LoginRefused, Misconfigured, Unavailable
from postern_mail.relay.ports import CURRENT, PENDING, PREVIOUS, Credentials, Keys, Vault
from postern_mail.relay.rotation import STEPS, Rotation
from postern_mail.relay.smtp_password import smtp_password

from tests.fakes import FakeClock
from tests.relay_cloud import SECRET, USER, begin_rotation, the_secret, user_keys
from tests.relay_fakes import REGION, FakeKeys, FakeStepLog, FakeVault

FIRST = "f" * 32
OLD, NEW = Credentials("AKIAOLD", "B-old"), Credentials("AKIANEW", "B-new")


class Killed(BaseException):
    """Lambda took the function's process away."""


@pytest.fixture(params=["fake", "moto"])
def keys(request: pytest.FixtureRequest) -> Keys:
    if request.param == "fake":
        return FakeKeys()
    request.getfixturevalue("account")
    return UserKeys(boto3.client("iam"), USER)


@pytest.fixture(params=["fake", "moto"])
def vault(request: pytest.FixtureRequest) -> tuple[Vault, Callable[[str], None]]:
    if request.param == "fake":
        fake = FakeVault()
        fake.begin()
        return fake, fake.rotate
    request.getfixturevalue("account")
    return SecretVault(boto3.client("secretsmanager"), SECRET), begin_rotation


def test_a_user_has_two_keys_and_no_more(keys: Keys) -> None:
    assert keys.ids() == frozenset()
    first, second = keys.make(), keys.make()
    assert keys.ids() == {first.key_id, second.key_id}
    with pytest.raises(Unavailable, match="LimitExceeded"):
        keys.make()
    keys.remove(first.key_id)
    keys.remove(first.key_id)
    assert keys.ids() == {second.key_id}
    assert second.secret not in repr(second)


def test_a_version_is_pending_then_current_then_previous(vault: tuple[Vault, Callable[[str], None]]) -> None:
    stored, rotate = vault
    ((first, those),) = stored.labels().items()
    assert CURRENT in those
    found = stored.read(first)
    assert found is not None
    assert found.credentials is None
    for version, credentials in ((str(uuid.uuid4()), OLD), (str(uuid.uuid4()), NEW)):
        (current,) = (one for one, labels in stored.labels().items() if CURRENT in labels)
        rotate(version)
        assert stored.read(version) is None
        stored.write(version, credentials)
        stored.write(version, credentials)
        assert stored.labels()[version] == {PENDING}
        found = stored.read(version)
        assert found is not None
        assert found.credentials == credentials
        stored.promote(version, instead_of=current)
        assert CURRENT in stored.labels()[version]
        assert stored.labels()[current] == {PREVIOUS}
        with pytest.raises(Unavailable):
            stored.promote(version, instead_of=current)


def test_a_secret_that_is_not_ours_is_named_and_not_shown(account: None) -> None:
    client = boto3.client("secretsmanager")
    version = client.put_secret_value(SecretId=SECRET, SecretString="hunter2")["VersionId"]
    with pytest.raises(Misconfigured, match=version) as raised:
        SecretVault(client, SECRET).read(version)
    assert "hunter2" not in str(raised.value)


@dataclass
class Moto:
    """A rotation on moto, whose clients tell of every call before and after it."""

    calls: int = 0
    deaths: tuple[int, ...] = ()
    worked: bool = False

    def __post_init__(self) -> None:
        iam, secrets = boto3.client("iam"), boto3.client("secretsmanager")
        self.arn = secrets.describe_secret(SecretId=SECRET)["ARN"]
        for client in (iam, secrets):
            client.meta.events.register("before-call", self._told)
            client.meta.events.register("after-call", self._told)
        self.rotation = Rotation(
            secret=self.arn, region=REGION, overlap=0, keys=UserKeys(iam, USER), vault=SecretVault(secrets, self.arn),
            login=self, clock=FakeClock(2e9), pause=lambda _: None, log=FakeStepLog(),
        )  # fmt: skip

    def reset(self) -> None:
        """As the stack begins: no key, and a secret with an empty value."""
        user_keys().clear()
        the_secret().versions = {FIRST: {**the_secret().versions[self._current()], "version_id": FIRST}}
        the_secret().versions[FIRST] |= {"version_stages": [CURRENT], "secret_string": "{}"}
        self.calls, self.deaths, self.worked = 0, (), False

    def log_in(self, credentials: Credentials) -> None:
        if not self._works(credentials):
            raise LoginRefused("535")

    def rotate(self, version: str) -> None:
        begin_rotation(version)
        step = 0
        while step < len(STEPS):
            try:
                self.rotation.handle({"Step": STEPS[step], "SecretId": self.arn, "ClientRequestToken": version})
                step += 1
            except Killed:
                step = 0

    def current_works(self) -> bool:
        return self._works(Credentials.from_text(the_secret().versions[self._current()]["secret_string"]))

    def keys(self) -> dict[str, str]:
        return {key.access_key_id: key.secret_access_key for key in user_keys() if key.status == "Active"}

    def _works(self, credentials: Credentials | None) -> bool:
        secret = self.keys().get(credentials.username) if credentials else None
        return secret is not None and credentials is not None and credentials.password == smtp_password(secret, REGION)

    def _current(self) -> str:
        (found,) = (one for one, version in the_secret().versions.items() if CURRENT in version["version_stages"])
        return str(found)

    def _told(self, **_: object) -> None:
        assert len(self.keys()) <= 2
        assert self.current_works() or not self.worked
        self.worked = self.current_works()
        self.calls += 1
        if self.calls in self.deaths:
            raise Killed


@pytest.mark.parametrize("earlier", [0, pytest.param(2, marks=pytest.mark.long)])
def test_killed_at_every_call_of_aws_there_is_a_working_password(earlier: int, account: None) -> None:
    """Before a call, so that it is not made, and after it, so that its answer is lost."""
    world = Moto()
    calls = death = 0
    while death <= calls:
        world.reset()
        for count in range(earlier):
            world.rotate(f"{count}" * 32)
        world.calls, world.deaths = 0, (death,)
        world.rotate("n" * 32)
        calls = world.calls if death == 0 else calls
        assert world.current_works()
        assert world._current() == "n" * 32
        world.deaths = ()
        world.rotate("z" * 32)
        assert world.current_works()
        death += 1
    assert calls >= 20
