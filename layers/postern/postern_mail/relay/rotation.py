"""Rotation of the SMTP credentials, in the four steps that Secrets Manager calls.

IAM allows a user two access keys, so two passwords work side by side: the current one and the previous one (or, during
a rotation, the next one). A step may be killed anywhere and is then repeated. To make this safe:

- the current key is never touched;
- a key that no version of the secret names was left by a create step that died: its secret is lost, so
  it is deleted and another is created;
- the previous key is deleted when the next rotation needs its place, and only after `overlap`: by then every
  instance has fetched the current one many times over.

docs.aws.amazon.com/secretsmanager, "Lambda rotation functions".
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from ..errors import LoginRefused, Misconfigured, TooSoon
from ..mail.records import dataclass
from ..ports.clock import Clock
from .ports import CURRENT, PENDING, PREVIOUS, Credentials, Keys, Login, StepLog, Stored, Vault
from .smtp_password import smtp_password


class Step(StrEnum):
    """Secrets Manager's names for the steps of a rotation, in their order."""

    CREATE = "createSecret"
    SET = "setSecret"
    TEST = "testSecret"
    FINISH = "finishSecret"


STEPS = tuple(Step)


# Seconds between log-ins with a new key, until IAM has propagated it. 139 s in all.
PAUSES = (2, 5, 12, 30, 30, 30, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """The shell. `secret` is the ARN that a request must name, `overlap` is in seconds."""

    secret: str
    region: str
    overlap: float
    keys: Keys
    vault: Vault
    login: Login
    clock: Clock
    pause: Callable[[float], None]
    log: StepLog

    def handle(self, event: Mapping[str, Any]) -> None:
        """Do one step. Raises Temporary; Secrets Manager then repeats the rotation."""
        step, version = str(event.get("Step")), str(event.get("ClientRequestToken"))
        if step not in STEPS or event.get("SecretId") != self.secret:
            raise Misconfigured(f"step {step} of secret {event.get('SecretId')} is not for this function")
        labels = self.vault.labels()
        if CURRENT in labels.get(version, ()):
            self.log.done("nothing, this version is current", step=step, version=version)
            return
        if PENDING not in labels.get(version, ()):
            raise Misconfigured(f"version {version} is not labelled {PENDING}: no rotation is under way for it")
        self._do(Step(step), version, labels)

    def _do(self, step: Step, version: str, labels: Mapping[str, frozenset[str]]) -> None:
        match step:
            case Step.CREATE:
                self._create(version, labels)
            case Step.SET:  # a key works once it is created, and SES derives the password by itself
                self.log.done("nothing to set, the key works since it was made", version=version)
            case Step.TEST:
                self._test(version)
            case Step.FINISH:
                self._finish(version, labels)

    def _create(self, version: str, labels: Mapping[str, frozenset[str]]) -> None:
        if self.vault.read(version) is not None:
            self.log.done("nothing, the new password was made before", version=version)
            return
        self._make_room(self._labelled(labels, CURRENT), self._labelled(labels, PREVIOUS))
        key = self.keys.make()
        self.vault.write(version, Credentials(key.key_id, smtp_password(key.secret, self.region)))
        self.log.done("a key was made and its password stored", version=version, key=key.key_id)

    def _make_room(self, current: Stored | None, previous: Stored | None) -> None:
        keep = {_key(current) or _key(previous)}  # CloudFormation may have reset the secret to its initial value
        if current is not None and self.clock.now() - current.made_at < self.overlap:
            keep.add(_key(previous))
        there = self.keys.ids()
        for key_id in sorted(there - keep):
            self.keys.remove(key_id)
            self.log.done("a key that is not used any more was removed", key=key_id)
        if len(there & keep) > 1:
            hours = self.overlap / 3600
            raise TooSoon(
                f"the last rotation is less than {hours:g} hours old, and instances may still use the key before"
            )

    def _test(self, version: str) -> None:
        credentials = self._pending(version)
        for pause in (*PAUSES, None):
            try:
                self.login.log_in(credentials)
                break
            except LoginRefused:
                if pause is None:
                    raise
                self.pause(pause)
        self.log.done("SES took the new password", version=version, key=credentials.username)

    def _finish(self, version: str, labels: Mapping[str, frozenset[str]]) -> None:
        credentials = self._pending(version)
        current = _version(labels, CURRENT)
        if current is None:
            raise Misconfigured(f"no version of the secret is labelled {CURRENT}")
        self.vault.promote(version, instead_of=current)
        self.log.done("the new password is current", version=version, key=credentials.username)

    def _pending(self, version: str) -> Credentials:
        stored = self.vault.read(version)
        if stored is None or stored.credentials is None:
            raise Misconfigured(f"version {version} has no password yet: its create step comes first")
        return stored.credentials

    def _labelled(self, labels: Mapping[str, frozenset[str]], label: str) -> Stored | None:
        version = _version(labels, label)
        return self.vault.read(version) if version else None


def _version(labels: Mapping[str, frozenset[str]], label: str) -> str | None:
    return next((version for version, those in labels.items() if label in those), None)


def _key(stored: Stored | None) -> str:
    return stored.credentials.username if stored and stored.credentials else ""
