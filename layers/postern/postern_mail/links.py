"""Links: a request to a page behind a signed link in, a page out.

Reading a page changes nothing, because mail scanners open every link. The button acts, once: a conditional write claims
the link before its action, and a second write notes the action as done. Each action can be repeated without harm, so a
function killed in between leaves a link that still works, and no lost message.
"""

from urllib.parse import parse_qs

from .errors import MessageMissing, Overtaken, Temporary
from .mail import link as links
from .mail import link_pages
from .mail.link import Deed, Link
from .mail.link_pages import Done, Page
from .mail.records import dataclass
from .ports.clock import Clock
from .ports.links import Deeds, Entries, LinkBook, LinkLog

_READS, _WRITES = ("GET", "HEAD"), ("POST",)
_USED = "used_at"
_MOST_FORM = 200  # characters; the button's is 38


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Answers requests."""

    key: bytes
    book: LinkBook
    deeds: Deeds
    clock: Clock
    log: LinkLog

    def answer(self, method: str, path: str, body: str) -> Page:
        """The page for a request. `path` is the link, `body` a form's."""
        if path == link_pages.STYLE:
            return link_pages.SHEET
        text = path.removeprefix("/")
        link = links.read(self.key, text, self.clock.now()) if method in (*_READS, *_WRITES) else None
        if link is None:
            return link_pages.no_use()
        pressed = "".join(parse_qs(body[:_MOST_FORM]).get("press", ())[:1]) if method in _WRITES else ""
        try:
            return self._answer(link, text, pressed)
        except (Temporary, Overtaken) as failure:
            self.log.link(link, str(failure))
            return link_pages.not_now()

    def _answer(self, link: Link, text: str, pressed: str) -> Page:
        name, entries = links.name(text), self.book.entries(link.partition)
        if (link.deed.single_use and _USED in entries.get(name, {})) or (link.message_id and "message" not in entries):
            return link_pages.no_use()
        if not links.is_pressed(self.key, text, pressed):
            return self._question(link, text, entries)
        if link.deed.single_use and not self.book.take(link, name):
            return link_pages.no_use()
        try:
            done = self._do(link, entries)
        except MessageMissing:
            done = Done("The message is not kept any more.", "Nothing was done.")
        except (Temporary, Overtaken):
            if link.deed.single_use:
                self.book.give_back(link, name)
            raise
        self.book.keep(link, name, done.result)
        self.log.link(link, done.result)
        return link_pages.done(done)

    def _question(self, link: Link, text: str, entries: Entries) -> Page:
        message = entries.get("message", {})
        verdicts = message.get("verdicts", {})
        proven = "PASS" in (verdicts.get("spf"), verdicts.get("dmarc"))
        return link_pages.question(link, str(message.get("source", "")), links.button(self.key, text), proven=proven)

    def _do(self, link: Link, entries: Entries) -> Done:
        match link.deed:
            case Deed.RELEASE:
                return self.deeds.release(link, entries)
            case Deed.BLOCK:
                return self.deeds.block(link)
            case Deed.OFF:
                return self.deeds.off(link)
            case Deed.RESUME:
                return self.deeds.resume(link)
            case Deed.FETCH:
                return self.deeds.fetch(link)
