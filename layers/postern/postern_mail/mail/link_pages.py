"""The pages behind links, as text: what a button will do, what was done and how to undo it, or that a link does not
work.

The pages are inert: no script, nothing loaded from elsewhere, and all text that a stranger chose is made visible and
escaped.
"""

from html import escape

from .days import moment
from .link import Deed, Link
from .records import dataclass
from .visible import visible

STYLE = "/style.css"  # the path of the style sheet
_CSS = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}"
    "code{overflow-wrap:anywhere}button,.go{font:inherit;padding:.6rem 1.2rem}"
)
# Of every answer. Only the style sheet is loaded, the form posts only to this site, pages cannot be framed, and a
# page's URL is neither sent to other sites nor cached (a link is a key).
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
    "cache-control": "no-store",
}
_HTML, _SHEET = "text/html; charset=utf-8", "text/css; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Page:
    """An answer: an HTTP status, the body, its type."""

    status: int
    body: str
    kind: str = _HTML


@dataclass(frozen=True, slots=True)
class Done:
    """The result of an action: in a sentence, how to undo it, and the URL it leads to, if any."""

    result: str
    undo: str
    leads_to: str = ""


SHEET = Page(200, _CSS, _SHEET)


def question(link: Link, source: str, button: str, *, proven: bool) -> Page:
    """The page that says what the button will do; nothing has been done. `source` is the sender of the message that the
    link is about."""
    title, says, label = _asked(link, source)
    doubt = ""
    if link.deed is Deed.BLOCK and not proven:
        doubt = _p("Amazon SES saw no proof that the message came from that sender: anyone can write an address there.")
    form = f'<form method="post"><button name="press" value="{_shown(button)}">{_shown(label)}</button></form>'
    return Page(200, _html(title, f"{_p(says)}{doubt}{form}{_p(f'This link works until {moment(link.until)}.')}"))


def done(outcome: Done) -> Page:
    """The page that says what was done, and how to undo it."""
    leads = ""
    if outcome.leads_to:
        leads = f'<p><a class="go" href="{_shown(outcome.leads_to)}" rel="noreferrer">Save the message</a></p>'
    return Page(200, _html("Done", f"{_p(outcome.result)}{leads}{_p(outcome.undo)}"))


def no_use() -> Page:
    """The one page for a link that is wrong, altered, expired or used."""
    says = (
        "It was used already, it has expired, or it was not copied completely. Nothing was done now. A later mail has"
        " links for what can still be done; the postern command can do it too."
    )
    return Page(404, _html("This link does not work", _p(says)))


def not_now() -> Page:
    """The page for any other failure; the link still works."""
    says = "Amazon did not answer as expected. Probably nothing was done. The link still works: try again later."
    return Page(503, _html("Not now", _p(says)))


def rule(sender: str) -> str:
    """The sender rule that blocks a sender, as `postern sender list` shows it."""
    return f"{sender} REJECT"


def _asked(link: Link, source: str) -> tuple[str, str, str]:
    """(title, what the button does, its label)."""
    match link.deed:
        case Deed.RELEASE:
            return (
                "Release a message",
                f"The message {link.message_id} from {source} is kept. Releasing it forwards it to {link.who}.",
                "Release it",
            )
        case Deed.BLOCK:
            return (
                "Block a sender",
                f"This writes a sender rule for all aliases: {rule(link.who)}. Mail from {link.who} is then rejected.",
                "Block the sender",
            )
        case Deed.OFF:
            return "Switch an address off", f"Mail to {link.who} is then rejected.", "Switch it off"
        case Deed.RESUME:
            return (
                "Resume a destination",
                f"Nothing is sent to {link.who}, because mail to it bounced. Resuming sends it new mail again.",
                "Resume it",
            )
        case Deed.FETCH:
            return (
                "Fetch a message",
                f"The message {link.message_id} from {source} to {link.who} is kept unchanged. You get a link with"
                " which you can save it for 5 minutes.",
                "Fetch it",
            )


def _html(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="{STYLE}"></head>'
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )


def _p(text: str) -> str:
    return f"<p>{_shown(text)}</p>"


def _shown(text: str) -> str:
    return escape(visible(text))
