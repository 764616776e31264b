"""The links below a line of the digest, by which its reader can act from a mail program."""

from collections.abc import Collection

from .envelope import NULL_SENDER
from .keys import no_alias, no_sender, sender_key
from .link import Deed, Door
from .records import dataclass
from .visible import visible

MOST = 30  # lines of a section that have links, three each: some programs cut off mail over 100 KB


@dataclass(frozen=True, slots=True)
class LinkLines:
    """Writes links for a stack with these domains."""

    door: Door
    domains: Collection[str]

    def message(self, message_id: str, source: str, who: str, now: float) -> tuple[str, ...]:
        """Links about a quarantined message."""
        release = f"Release: {self.door.for_days(Deed.RELEASE, message_id, who, now)}"
        return release, *self._block(message_id, source, now), *self.address(who, now, message_id)

    def address(self, who: str, now: float, message_id: str = "") -> tuple[str, ...]:
        """Links about an address of ours."""
        if who.startswith("@") or no_alias(who, self.domains):
            return ()
        return (f"Switch {visible(who)} off: {self.door.for_days(Deed.OFF, message_id, who, now)}",)

    def destination(self, who: str, now: float) -> tuple[str, ...]:
        """Links about a suspended destination."""
        return (f"Resume: {self.door.for_days(Deed.RESUME, '', who, now)}",)

    def _block(self, message_id: str, source: str, now: float) -> tuple[str, ...]:
        """A link that blocks a sender; none for bounces, which have no sender, or if no rule can name the sender."""
        key = sender_key(source)
        if source in ("", NULL_SENDER) or "@" not in key or no_sender(key) or key != visible(key):
            return ()
        return (f"Block {key}: {self.door.for_days(Deed.BLOCK, message_id, key, now)}",)
