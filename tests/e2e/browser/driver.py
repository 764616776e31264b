"""A person at Debian's Chromium: orders one a line on standard input, as JSON, and an answer for each on standard output.

It runs in .venv-browser, which has Playwright and axe-core, and is told by browser.py.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Browser, Page, sync_playwright

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
_TIMEOUT = 20_000  # milliseconds for anything to happen
_FOCUSED = """() => {
  const one = document.activeElement;
  const label = one.labels && one.labels[0] ? one.labels[0].textContent : "";
  return [one.tagName, one.name || "", (one.getAttribute("aria-label") || label || one.textContent).trim()];
}"""
_SERIOUS = """async () => {
  const found = await axe.run(document, {resultTypes: ["violations"]});
  return found.violations.filter(one => ["serious", "critical"].includes(one.impact))
    .map(one => one.id + ": " + one.nodes.map(node => node.html).slice(0, 3).join(" | "));
}"""


def _open(page: Page, order: dict[str, Any]) -> int:
    answer = page.goto(order["url"])
    return answer.status if answer else 0


def _enter(page: Page, _: dict[str, Any]) -> None:
    with page.expect_navigation():
        page.keyboard.press("Enter")


def _axe(page: Page, _: dict[str, Any]) -> Any:
    page.evaluate(AXE)
    return page.evaluate(_SERIOUS)


DO: dict[str, Callable[[Page, dict[str, Any]], Any]] = {
    "open": _open,
    "enter": _enter,
    "press": lambda page, order: page.keyboard.press(order["key"]),
    "type": lambda page, order: page.keyboard.insert_text(order["text"]),
    "focused": lambda page, _: page.evaluate(_FOCUSED),
    "click": lambda page, order: page.get_by_role(order["role"], name=order["name"]).first.click(),
    "fill": lambda page, order: page.get_by_label(order["label"]).first.fill(order["text"]),
    "text": lambda page, _: page.inner_text("body"),
    "address": lambda page, _: [page.url, page.evaluate("history.length")],
    "size": lambda page, order: page.set_viewport_size({"width": order["width"], "height": order["height"]}),
    "scheme": lambda page, order: page.emulate_media(color_scheme=order["scheme"]),
    "wider": lambda page, _: page.evaluate("document.documentElement.scrollWidth - innerWidth"),
    "colours": lambda page, _: page.evaluate("(s => [s.backgroundColor, s.color])(getComputedStyle(document.body))"),
    "axe": _axe,
    "picture": lambda page, order: len(page.screenshot(path=order["path"])),
}


def _fresh(browser: Browser) -> tuple[Page, list[str]]:
    """A browser without cookies and history, and what will be said on its console."""
    page, said = browser.new_page(), []
    page.set_default_timeout(_TIMEOUT)
    page.on("console", lambda one: said.append(one.text))
    page.on("pageerror", lambda one: said.append(str(one)))
    return page, said


def main(chromium: str) -> None:
    """Obey until the input ends. What the page says to the console, a style that was refused for one, is an answer to
    `said`."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page, said = _fresh(browser)
        for line in sys.stdin:
            order = json.loads(line)
            try:
                if order["do"] == "fresh":
                    page.context.close()
                    page, said = _fresh(browser)
                found = said if order["do"] in ("said", "fresh") else DO[order["do"]](page, order)
                answer = {"answer": found}
            except Exception as fault:  # noqa: BLE001 (who ordered it raises)
                answer = {"fault": str(fault)}
            print(json.dumps(answer), flush=True)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
