"""Which receipt rule set is active: the one thing about SES that CloudFormation cannot say.

Only one rule set is active in a region and account. Four modes, one parameter:

    activate    our set becomes active if no other is
    take-over   our set replaces the named one, which becomes active again when
                the stack is deleted
    join        our rules are in the named set, another stack's; either that set is active, or
                ours is and gives way to it
    manual      only you change the active set

The deployer names the set to replace; Postern does not look it up. So a request that is repeated, even after a crash,
carries the name itself.

When the stack is deleted, the set is deactivated only if it is still ours and holds no other stage's rules. If it must
stay, SES itself refuses to delete it (CannotDelete), so nothing is lost.
"""

from collections.abc import Callable, Collection, Mapping
from fnmatch import fnmatchcase
from typing import Any, Protocol

from .custom_resource import patiently
from .errors import Misconfigured
from .mail.records import dataclass

ACTIVATE, TAKE_OVER, JOIN, MANUAL = MODES = ("activate", "take-over", "join", "manual")


@dataclass(frozen=True, slots=True)
class Active:
    """The active rule set and the names of its rules."""

    name: str
    rules: tuple[str, ...] = ()


class RuleSets(Protocol):
    """SES's receipt rule sets."""

    def active(self) -> Active | None:
        """The active rule set, if there is one. Raises Temporary."""

    def activate(self, name: str | None) -> bool:
        """Make a set active, or no set for None; returns False if there is no such set. Raises Temporary."""


class Stacks(Protocol):
    """CloudFormation."""

    def rolling_back(self, stack: str) -> bool:
        """Whether the stack is rolling back. Raises Temporary."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the template asks for. `other` is the set to replace or to join; `own_rules` are patterns of our rules'
    names."""

    mode: str
    own: str
    other: str
    own_rules: tuple[str, ...]

    @classmethod
    def of(cls, properties: Mapping[str, Any]) -> "Wish":
        """Read the properties. Raises Misconfigured for values that the template never sends."""
        mode = properties.get("Mode")
        if mode not in MODES:
            raise Misconfigured(f"Mode: expected one of {', '.join(MODES)}, found {mode!r}")
        other = properties.get("ActiveRuleSet", "")
        if bool(other) != (mode in (TAKE_OVER, JOIN)):
            raise Misconfigured("ActiveRuleSet names the set to take over or to join, and is empty otherwise")
        return cls(mode, properties["RuleSet"], other, tuple(properties["OwnRules"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """Carries out one request of CloudFormation; safe to repeat.

    `pause` sleeps, or raises Temporary if too little time would be left afterwards.
    """

    sets: RuleSets
    stacks: Stacks
    pause: Callable[[float], None]

    def carry_out(self, kind: str, stack: str, properties: Mapping[str, Any]) -> str:
        """Carry out the request and return what was done. Raises Misconfigured if it must not be done, Temporary if it
        could not be."""
        if kind == "Delete":
            return self._give_up(Wish.of(properties))
        try:
            return self._set_up(Wish.of(properties))
        except Exception as error:
            if kind == "Update" and self.stacks.rolling_back(stack):
                return f"left as it is, because the stack rolls back: {error}"
            raise

    def _set_up(self, wish: Wish) -> str:
        if wish.mode == MANUAL:
            return "left as it is: the mode is manual"
        active = self._active()
        name = active.name if active else None
        if wish.mode == JOIN:
            return self._join(wish, active)
        if name == wish.own:
            return f"{name} is active already"
        if name not in (None, wish.other or None):
            raise Misconfigured(
                f"rule set {name} is active in this region, and only one can be. To add rules to it, deploy with"
                f" RuleSetMode=join ActiveRuleSet={name}; to replace it, RuleSetMode=take-over ActiveRuleSet={name}"
            )
        if not self._activate(wish.own):
            raise Misconfigured(f"there is no rule set {wish.own}")
        return f"{wish.own} is active, {_called(name)} was"

    def _join(self, wish: Wish, active: Active | None) -> str:
        """Our own set is active while a stack changes its mode, or returns to joining after a failed update:
        CloudFormation then removes our rule from it, and all mail would be refused."""
        if active is not None and active.name == wish.other:
            return f"joined {active.name}"
        ours = active is not None and active.name == wish.own and not _not_among(active.rules, wish.own_rules)
        if not (ours and self._activate(wish.other)):
            name = active.name if active else None
            raise Misconfigured(f"the rule set to join is {wish.other}, but {_called(name)} is active in this region")
        return f"joined {wish.other}, which is active in the place of {wish.own}"

    def _give_up(self, wish: Wish) -> str:
        if wish.mode == JOIN:
            return "left as it is: the set belongs to another stack"
        active = self._active()
        if active is None or active.name != wish.own:
            return f"left as it is: {_called(active.name if active else None)} is active, not {wish.own}"
        strangers = _not_among(active.rules, wish.own_rules)
        if strangers:
            return f"{wish.own} stays active: it holds the rules of others: {', '.join(strangers)}"
        if wish.other and self._activate(wish.other):
            return f"{wish.other} is active again"
        self._activate(None)
        return f"no rule set is active, {wish.own} was"

    def _active(self) -> Active | None:
        return patiently(self.sets.active, self.pause)

    def _activate(self, name: str | None) -> bool:
        return patiently(lambda: self.sets.activate(name), self.pause)


def _called(name: str | None) -> str:
    return f"rule set {name}" if name else "none"


def _not_among(rules: Collection[str], patterns: Collection[str]) -> list[str]:
    return [rule for rule in rules if not any(fnmatchcase(rule, pattern) for pattern in patterns)]
