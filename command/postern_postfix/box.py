"""The box that ran Postfix, as far as it decides how addresses are read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """What of main.cf decides how addresses are read.

    `domains` are those of --domain in order; `local` those where aliases(5) holds, with the names
    of the box itself; `origin` is the domain of a bare name in virtual(5).
    """

    domains: tuple[str, ...]
    local: frozenset[str]
    origin: str | None = None
    virtual_keeps_tag: bool = True
    alias_keeps_tag: bool = False

    @property
    def ours(self) -> tuple[str, ...]:
        """The domains of --domain where aliases(5) holds."""
        return tuple(domain for domain in self.domains if domain in self.local)

    @property
    def home(self) -> str | None:
        """The domain at which a bare name is looked up, None if aliases(5) holds at none."""
        return self.origin if self.origin in self.ours else next(iter(self.ours), None)
