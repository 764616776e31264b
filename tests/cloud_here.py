"""moto in the tests' own process: no server, no socket, a third less time for each call."""

import pytest
from moto import mock_aws

from emulator.cloud import CREDENTIALS, Cloud
from emulator.template import Template


class CloudHere(Cloud):
    """What the template declares, for clients of this process alone. To start another process, use `Cloud`."""

    def __init__(self, template: Template) -> None:
        super().__init__(template)
        # The tests set credentials themselves.
        self._listening = False
        self._moto = mock_aws(config={"core": {"mock_credentials": False, "reset_boto3_session": True}})

    def start(self) -> None:
        """Answer every client that is made from now on. What other clouds of this process hold stays."""
        self._moto.start(reset=False)
        self.declare()

    def stop(self) -> None:
        """Answer no longer."""
        self._moto.stop(remove_data=False)
        if self._listening:
            super().stop()

    def listening(self) -> str:
        """The URL where another process finds the same tables and mail: a server for as long as this cloud runs."""
        if not self._listening:
            self._server.start()
            self._listening = True
        return self.endpoint

    @property
    def environment(self) -> dict[str, str]:
        """No endpoint: the clients believe they talk to AWS."""
        return dict(CREDENTIALS)


def enter(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    """Set the environment in which clients find the cloud, and these variables."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name, value in {**cloud.environment, **variables}.items():
        monkeypatch.setenv(name, value)
