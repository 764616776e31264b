"""A browser's side of the page, without a browser: it asks, keeps the cookie, and sends the forms that it was shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import html5lib
from postern_command.pages.app import application
from postern_command.pages.desk import Desk
from postern_command.pages.gate import Gate
from starlette.testclient import TestClient

if TYPE_CHECKING:
    from httpx import Response

from tests.fakes import FakeClock
from tests.operating.conftest import Office

PORT = 54321
HERE = f"http://127.0.0.1:{PORT}"


@dataclass
class Browser:
    """One that has come by the address that was opened."""

    office: Office
    desk: Desk
    gate: Gate
    client: TestClient

    def get(self, path: str, **headers: str) -> "Response":
        """Without following where it leads."""
        found: Response = self.client.get(path, headers=headers, follow_redirects=False)
        return found

    def page(self, path: str) -> "Page":
        """A page that is there."""
        found = self.get(path)
        assert found.status_code == 200, found.text
        return Page(self, found.text)

    def json(self, path: str) -> Any:
        """What a page says, for programs."""
        found = self.get(path)
        assert found.status_code == 200, found.text
        return found.json()

    def post(self, path: str, form: Mapping[str, Any], **headers: str) -> "Response":
        """As a browser sends a form of ours; `headers` in place of its own."""
        sent = {"Sec-Fetch-Site": "same-origin", "Origin": "null", **headers}
        found: Response = self.client.post(path, data=dict(form), headers=sent, follow_redirects=False)
        return found


@dataclass
class Page:
    """What was shown."""

    browser: Browser
    html: str

    @property
    def tree(self) -> Any:
        """Parsed as browsers parse; what is no HTML is an error."""
        return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(self.html)

    @property
    def text(self) -> str:
        """What a person reads, blanks as one."""
        return " ".join("".join(self.tree.find("body").itertext()).split())

    def form(self, action: str, number: int = 0) -> dict[str, Any]:
        """The fields of a form, as they would be sent: a list where one name has several."""
        form = [one for one in self.tree.iter("form") if one.get("action") == action][number]
        fields: dict[str, Any] = {}
        for one in form.iter():
            if one.tag not in ("input", "textarea"):
                continue
            if one.tag == "textarea":
                fields[one.get("name")] = (one.text or "").removeprefix("\n")
            elif one.get("type") != "checkbox" or "checked" in one.attrib:
                name, value = one.get("name"), one.get("value", "")
                before = fields.get(name, [])
                fields[name] = [*([before] if isinstance(before, str) else before), value] if before else value
        return fields

    def send(self, action: str, number: int = 0, /, **typed: str | list[str]) -> "Response":
        """Send a form, with this typed into it."""
        return self.browser.post(action, {**self.form(action, number), **typed})


def browser(office: Office, desk: Desk) -> Browser:
    """One that has come in."""
    gate = Gate(PORT, FakeClock(0.0).now)
    client = TestClient(application(desk, gate), base_url=HERE)
    made = Browser(office, desk, gate, client)
    assert made.get(f"/start?token={gate.token}").status_code == 303
    return made
