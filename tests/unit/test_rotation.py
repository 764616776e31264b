"""The rotation: each step, and killed before and after each thing it asks of the world, twice over."""

from collections.abc import Callable

import pytest
from postern_mail.errors import LoginRefused, Misconfigured, TooSoon
from postern_mail.relay.ports import Credentials
from postern_mail.relay.rotation import PAUSES, STEPS, Rotation
from postern_mail.relay.smtp_password import smtp_password

from tests.fakes import FakeClock
from tests.relay_fakes import REGION, FakeKeys, FakeLogin, FakeStepLog, FakeVault, nothing

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:relay/smtp-AbCdEf"
HOUR = 3600.0


class Killed(BaseException):
    """Lambda took the function's process away."""


class World:
    """A user, a secret and the rotation of one by the other."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.keys, self.vault, self.log = FakeKeys(), FakeVault(self.clock), FakeStepLog()
        self.login = FakeLogin(self.keys)
        self.pauses: list[float] = []
        self.vault.begin()
        self.rotation = Rotation(
            secret=SECRET, region=REGION, overlap=24 * HOUR, keys=self.keys, vault=self.vault, login=self.login,
            clock=self.clock, pause=self.pauses.append, log=self.log,
        )  # fmt: skip

    def step(self, step: str, version: str) -> None:
        self.rotation.handle({"Step": step, "SecretId": SECRET, "ClientRequestToken": version})

    def rotate(self, version: str) -> None:
        self.vault.rotate(version)
        for step in STEPS:
            self.step(step, version)

    def hook(self, told: Callable[[str], None]) -> None:
        self.keys.hook = self.vault.hook = told

    def current_works(self) -> bool:
        current = self.vault.current()
        secret = self.keys.keys.get(current.get("username", ""))
        return secret is not None and smtp_password(secret, REGION) == current["password"]


def rotated(times: int) -> World:
    """A world after so many rotations, a week apart."""
    world = World()
    for count in range(times):
        world.rotate(f"version-{count}")
        world.clock.time += 7 * 24 * HOUR
    return world


def test_the_first_rotation_replaces_the_empty_value() -> None:
    world = rotated(1)
    assert world.current_works()
    assert len(world.keys.keys) == 1


def test_steps_of_a_version_that_is_current_change_nothing() -> None:
    """The answer to the last step may get lost, and Secrets Manager may then ask again."""
    world = rotated(2)
    before = (dict(world.keys.keys), dict(world.vault.labelled), list(world.login.tried))
    for step in STEPS:
        world.step(step, "version-1")
    assert before == (world.keys.keys, world.vault.labelled, world.login.tried)


def test_the_key_before_works_until_the_next_rotation() -> None:
    world = rotated(1)
    first = world.vault.current()["username"]
    world.rotate("second")
    second = world.vault.current()["username"]
    assert world.keys.keys.keys() == {first, second}
    world.clock.time += 25 * HOUR
    world.rotate("third")
    assert world.keys.keys.keys() == {second, world.vault.current()["username"]}


def test_no_key_is_removed_while_instances_may_still_use_it() -> None:
    world = rotated(2)
    world.clock.time -= 7 * 24 * HOUR - 23 * HOUR
    before = dict(world.keys.keys)
    with pytest.raises(TooSoon, match="24 hours"):
        world.rotate("too soon")
    assert before == world.keys.keys
    assert world.current_works()
    world.clock.time += 2 * HOUR
    world.rotate("too soon")
    assert world.current_works()


def test_a_current_key_that_someone_deleted_is_replaced_at_once() -> None:
    """After a leak no one waits for the overlap; there is room for a key."""
    world = rotated(2)
    world.clock.time -= 7 * 24 * HOUR
    del world.keys.keys[world.vault.current()["username"]]
    world.rotate("now")
    assert world.current_works()


def test_the_key_in_use_is_kept_when_the_secret_is_set_back_to_empty() -> None:
    """Instances go on with what they have fetched before; an empty value tells them nothing."""
    world = rotated(2)
    in_use = world.vault.current()["username"]
    world.vault.values["empty"] = ("{}", world.clock.now())
    world.vault.labelled |= {"AWSPREVIOUS": world.vault.labelled["AWSCURRENT"], "AWSCURRENT": "empty"}
    world.clock.time += 25 * HOUR
    world.rotate("next")
    assert world.keys.keys.keys() == {in_use, world.vault.current()["username"]}
    assert world.current_works()


def test_a_new_key_gets_its_time_to_be_known() -> None:
    world = World()
    world.login.refusals = 3
    world.rotate("a")
    assert list(PAUSES[:3]) == world.pauses
    assert world.current_works()


def test_a_password_that_ses_refuses_never_becomes_current() -> None:
    world = rotated(1)
    before = world.vault.current()
    world.vault.rotate("bad")
    world.login.refusals = len(PAUSES) + 1
    world.step("createSecret", "bad")
    with pytest.raises(LoginRefused):
        world.step("testSecret", "bad")
    assert before == world.vault.current()
    assert len(world.login.tried) == 1 + len(PAUSES) + 1


@pytest.mark.parametrize(
    ("step", "version", "secret"),
    [
        ("createSecret", "nobody's", SECRET),
        ("finishSecret", "nobody's", SECRET),
        ("createSecret", "version", SECRET + "x"),
        ("deleteSecret", "version", SECRET),
        ("testSecret", "version", SECRET),
        ("finishSecret", "version", SECRET),
    ],
)
def test_a_request_that_does_not_fit_changes_nothing(step: str, version: str, secret: str) -> None:
    """Another secret, a version without its label, an unknown step, a step before its turn."""
    world = rotated(1)
    world.vault.rotate("version")
    before = (dict(world.keys.keys), dict(world.vault.labelled))
    with pytest.raises(Misconfigured):
        world.rotation.handle({"Step": step, "SecretId": secret, "ClientRequestToken": version})
    assert before == (world.keys.keys, world.vault.labelled)


def test_no_log_line_shows_a_secret() -> None:
    world = rotated(3)
    said = "\n".join(world.log.lines)
    assert "made" in said
    for secret in world.keys.keys.values():
        assert secret not in said
        assert smtp_password(secret, REGION) not in said
    assert "password='" not in repr(Credentials("AKIA", "x")) + said


@pytest.mark.parametrize("text", ["[]x", '{"username": "A"}', '"hunter2"', '["hunter2"]'])
def test_a_value_that_is_not_ours_is_an_error_that_does_not_quote_it(text: str) -> None:
    with pytest.raises(ValueError, match="JSON object") as raised:
        Credentials.from_text(text)
    assert "hunter2" not in str(raised.value)


def _killed_at(world: World, deaths: list[int], version: str, from_the_start: bool) -> int:
    """Run a rotation that dies at the calls with these numbers and is repeated; returns the calls made.

    What must hold does so at every call: two keys at most, and once there is a working current
    password there always is one.
    """
    calls, worked = 0, world.current_works()

    def told(_: str) -> None:
        nonlocal calls, worked
        assert len(world.keys.keys) <= 2
        assert world.current_works() or not worked
        worked = world.current_works()
        calls += 1
        if calls in deaths:
            raise Killed

    world.hook(told)
    world.vault.rotate(version)
    step = 0
    while step < len(STEPS):
        try:
            world.step(STEPS[step], version)
            step += 1
        except Killed:
            step = 0 if from_the_start else step
    world.hook(nothing)
    return calls


@pytest.mark.parametrize("from_the_start", [True, False], ids=["from the first step", "from the step that died"])
@pytest.mark.parametrize(
    "times", [0, 1, *(pytest.param(one, marks=[pytest.mark.slow, pytest.mark.long]) for one in (2, 3))]
)
def test_killed_anywhere_twice_it_ends_well(times: int, from_the_start: bool) -> None:
    """Every pair of deaths, before or after any call, also inside the repetition."""
    alone = _killed_at(rotated(times), [], "new", from_the_start)
    assert alone > 20
    for first in range(1, alone + 1):
        second, done = first, False
        while not done:
            world = rotated(times)
            done = _killed_at(world, [first, second], "new", from_the_start) < second
            assert world.current_works()
            assert world.vault.labelled["AWSCURRENT"] == "new"
            assert world.vault.current()["username"] in world.login.tried
            world.clock.time += 25 * HOUR
            world.rotate("after")
            assert world.current_works()
            second += 1
