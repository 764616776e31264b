"""One Postfix for all tests here. Where there can be none they are skipped, loudly, and fail if CI says so."""

from collections.abc import Iterator

import pytest

from tests.required import without

from .server import HOW_TO_GET_IT, Server, missing, running
from .sink import Sink


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [report for report in terminalreporter.stats.get("skipped", ()) if HOW_TO_GET_IT in str(report.longrepr)]
    if skipped:
        terminalreporter.section("NO POSTFIX", sep="!", red=True, bold=True)
        terminalreporter.line(
            f"{len(skipped)} tests did not ask a running Postfix whether our tables mean what its do."
        )
        terminalreporter.line(f"{missing()}. To run them: {HOW_TO_GET_IT}.")


@pytest.fixture(scope="session")
def sink() -> Iterator[Sink]:
    opened = Sink()
    opened.start()
    yield opened
    opened.stop()


@pytest.fixture(scope="session")
def postfix(sink: Sink) -> Iterator[Server]:
    """The judge, running."""
    if why := missing():
        without(f"{why}: {HOW_TO_GET_IT}")
    with running(sink.port) as server:
        yield server
