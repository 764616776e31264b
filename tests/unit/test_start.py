"""What the inbound function has in memory when it starts: each module is paid at every cold start."""

import os
import subprocess
import sys

import pytest

from tests.builders import ROOT

# What would come back unseen: the first three are a third of a second, each of the others 5 to 30 ms.
NOT_NEEDED = {
    "boto3", "botocore.exceptions", "urllib3", "aws_lambda_powertools", "logging", "concurrent.futures", "dataclasses",
    "inspect", "tomllib", "postern_mail.mail.repair", "postern_mail.mail.notice",
    "postern_mail.mail.digest", "postern_mail.mail.feedback", "postern_mail.screening", "pathlib",
}  # fmt: skip
MOST = 208  # of the standard library's modules and ours together


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The modules when the handler is there and its clients are made."""
    program = (
        "import sys, postern_mail.aws.forward.assembly, postern_mail.aws.http.clients; print(' '.join(sys.modules))"
    )
    variables = {"PYTHONPATH": os.pathsep.join([str(ROOT / "layers/postern"), *sys.path])}
    command = [sys.executable, "-S", "-c", program]
    said = subprocess.run(command, env=variables, check=True, capture_output=True, text=True).stdout
    return set(said.split())


def test_nothing_is_loaded_that_most_messages_do_not_need(loaded: set[str]) -> None:
    assert "postern_mail.forward" in loaded
    assert NOT_NEEDED & loaded == set()


def test_there_are_no_more_modules_than_there_must_be(loaded: set[str]) -> None:
    assert len(loaded) <= MOST
