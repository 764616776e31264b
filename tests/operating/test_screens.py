"""What a person sees of one message, on terminals of two widths."""

import pytest

from tests.cloud_here import CloudHere
from tests.pseudo_terminal import terminal

from .conftest import Office

MESSAGE = "abcdefgh0123456789"
SCREENS = {
    80: [
        "  info@example.com                 forwarded     alias info@example.com",
        "  team@example.com                 quarantined   spam FAIL spam FAIL spam FAIL\u2026",
    ],
    120: [
        "  info@example.com                              forwarded     alias info@example.com",
        "  team@example.com                              quarantined   spam FAIL spam FAIL spam FAIL spam FAIL spam FAIL spam F\u2026",
    ],
}


@pytest.mark.slow
def test_a_trace_on_a_terminal(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(office.cloud, CloudHere)
    monkeypatch.setenv("AWS_ENDPOINT_URL", office.cloud.listening())
    rows = (
        ("info@example.com", "forwarded", "alias info@example.com"),
        ("team@example.com", "quarantined", "spam FAIL " * 9),
    )
    message_id = office.happened(*rows, message_id=MESSAGE)
    for columns, screen in SCREENS.items():
        shown = terminal("trace", message_id[:8], columns=columns).splitlines()
        assert [line for line in shown if "  " in line.strip()] == screen
        assert max(map(len, shown)) <= columns
    assert "spam FAIL " * 8 in terminal("trace", message_id[:8], "--wide")
