"""The plan: what is to become of a message, decided for each recipient before anything is done.

The order of the questions: does the alias exist, is the message in a loop, does a sender rule refuse or quarantine it,
do SES's verdicts forbid forwarding. The first that says no decides.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

from . import aliases, brake, health
from .actions import DISCARD, HOLD, OK
from .address import Address
from .alias_attributes import REPLIES
from .damper import Echo, echo, is_automatic
from .envelope import Envelope
from .header import MAX_HOPS, Header
from .own_name import impostor
from .records import dataclass, field, replace
from .reply import POLICY, Reply, of_alias, of_rule
from .rows import BadRow, Rows
from .senders import PARENT, Ruling, Senders, counted_as, judge
from .settings import QUARANTINED, Settings
from .stamp import TEST_KEY
from .verdicts import FAIL

if TYPE_CHECKING:
    from .endings import Counted
    from .header_rules import HeaderRules
    from .learning import Learn
    from .score import Score


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules for all mail of a stack.

    `own_domains`: a destination in one of them is looked up again; `parent_style`: one of
    senders.PARENT_STYLES; `stamp_key` signs our loop stamps.
    """

    own_domains: Collection[str]
    parent_style: str = PARENT
    stamp_key: bytes = TEST_KEY


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What the tables hold for a message: the senders that sender rules see, and every row needed."""

    senders: Senders
    rows: Rows

    @property
    def settings(self) -> Settings:
        """The owner's settings. Raises BadSettings."""
        return Settings.of(self.rows)


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision on one recipient's copy, and its reason. `alias` is the one whose row was found, None if there is
    none or its row cannot be parsed; `row` is that row's key, also of a disabled one, "" for none."""

    recipient: Address
    reason: str
    alias: Address | None = field(default=None, compare=False, kw_only=True)
    row: str = field(default="", compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Forward(Decision):
    """Forwarded, in the name of `alias`, to each destination, with the header lines of sender rules. `unproven` are the
    keys of destinations to which only a few messages may be in flight (`brake`). `excused`: a sender rule said OK, or a
    person released it, so it is exempt from grey holds."""

    alias: Address = field(kw_only=False)
    destinations: tuple[Address, ...]
    prepended: tuple[str, ...] = ()
    suspended: tuple[Address, ...] = ()
    unproven: frozenset[str] = field(default=frozenset(), compare=False)
    by_domain: bool = field(default=False, compare=False)  # the row of a domain matched
    steered: frozenset[str] = field(default=frozenset(), compare=False)  # those of `unproven` that a sender chose
    counted: str = field(default="", compare=False)  # the sender it counts for: senders.counted_as
    tags: tuple[str, ...] = ()  # of rules, before the subject
    replies: bool = field(default=False, compare=False)  # reply addresses stand for its correspondents
    echo: Echo | None = field(default=None, compare=False)  # it comes from one of the alias's destinations
    excused: bool = field(default=False, compare=False)
    learn: "Learn | None" = field(default=None, compare=False)  # a name without a row, which the domain's row learns
    uses: "Counted | None" = field(default=None, compare=False)  # the row, if it ends after so many messages


@dataclass(frozen=True, slots=True)
class Quarantine(Decision):
    """Kept, not forwarded, can be released. `suspended` are the destinations that would have been skipped for their
    health, as in Forward."""

    suspended: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class Reject(Decision):
    """Not forwarded: the alias or a sender rule refuses it. `reply` is what the sender may be told; None for a loop,
    which is never reported."""

    reply: Reply | None = None


class Discard(Decision):
    """Not forwarded, as the owner asked."""


class Defer(Decision):
    """Undecided for now: a row must be fixed, or a rule says `not now`. Retried; the other recipients go ahead."""


@dataclass(frozen=True, slots=True)
class GreyHold(Defer):
    """Not before `release_at` (epoch seconds), when it is screened again. Nothing is wrong (`mail.greylist`)."""

    release_at: int = 0


class BadTable(Defer):
    """Deferred until a row that cannot be parsed, or a loop of aliases, is fixed."""


_INSTEAD: dict[str, type[Decision]] = {"quarantine": Quarantine, "discard": Discard}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one destination: it is sent in the name of the first recipient, the others are merged."""

    destination: Address
    forwards: tuple[Forward, ...]

    @property
    def alias(self) -> Address:
        return self.forwards[0].alias

    @property
    def prepended(self) -> tuple[str, ...]:
        return self.forwards[0].prepended

    @property
    def tags(self) -> tuple[str, ...]:
        return self.forwards[0].tags

    @property
    def by_domain(self) -> bool:
        """Whether strangers can choose among many names that lead there."""
        return self.forwards[0].by_domain

    @property
    def counted(self) -> str:
        """The sender it counts for."""
        return self.forwards[0].counted

    @property
    def replies(self) -> bool:
        """Whether reply addresses stand for its correspondents."""
        return self.forwards[0].replies

    @property
    def is_steered(self) -> bool:
        """Whether a sender chose the destination, and nothing ever arrived there."""
        return self.destination.key in self.forwards[0].steered

    @property
    def goes_slowly(self) -> bool:
        """Whether nothing ever arrived there."""
        return self.destination.key in self.forwards[0].unproven


def plan(
    envelope: Envelope,
    header: Header,
    found: LookedUp,
    policy: Policy,
    now: float,
    released: Collection[str] = (),
    *,
    score: "Score | None" = None,
) -> tuple[Decision, ...]:
    """One decision for each recipient, in the envelope's order. `now` is epoch seconds.

    `found.rows` holds the settings' key, and every key that `aliases.unread`, `Senders.keys` and `health.unread` name.
    `released`: keys of recipients that a person has released from quarantine; a virus is quarantined regardless.
    `score`: the result of screening, None if nothing was screened.
    """
    try:
        _ = found.settings
    except BadRow as fault:
        return tuple(BadTable(recipient, str(fault)) for recipient in envelope.recipients)
    lifted = frozenset(released) if envelope.verdicts.virus != FAIL else frozenset()
    by_header = header_rules(envelope, header, found.rows, score)
    planner = _Planner(envelope, header, found.senders, found.rows, policy, now, lifted, score, by_header)
    return tuple(map(planner.decide, envelope.recipients))


def header_rules(envelope: Envelope, header: Header, rows: Rows, score: "Score | None" = None) -> "HeaderRules | None":
    """The header rules for a message, None if the settings name none. Raises BadSettings."""
    if not Settings.of(rows).header_rules:
        return None
    from .header_rules import HeaderRules  # noqa: PLC0415 (for who has header rules only)

    return HeaderRules(envelope, header, rows, score)


def ruled(
    senders: Senders, by_header: "HeaderRules | None", scope: str, rows: Rows, own_domains: Collection[str]
) -> Ruling:
    """The sender rules for the alias with the key `scope`, and the header rules unless those refuse it. Raises
    BadRow."""
    ruling = judge(senders, scope, rows, own_domains)
    if by_header is None or (ruling.final is not None and ruling.final.action.word != OK):
        return ruling
    more = by_header.judged(scope)
    for rule in more:
        rule.check_target(own_domains)
    return replace(ruling, rules=(*ruling.rules, *more))


def deliveries(decisions: Collection[Decision]) -> tuple[Delivery, ...]:
    """The messages a plan sends: one for each destination, however many recipients lead there."""
    wanted: dict[str, list[tuple[Address, Forward]]] = {}
    for decision in decisions:
        if isinstance(decision, Forward):
            for destination in decision.destinations:
                wanted.setdefault(destination.key, []).append((destination, decision))
    return tuple(Delivery(found[0][0], tuple(forward for _, forward in found)) for found in wanted.values())


@dataclass(frozen=True, slots=True)
class _Planner:
    envelope: Envelope
    header: Header
    senders: Senders
    rows: Rows
    policy: Policy
    now: float
    released: frozenset[str] = frozenset()
    score: "Score | None" = None
    by_header: "HeaderRules | None" = None

    def decide(self, recipient: Address) -> Decision:
        resolution = aliases.resolve(recipient, self.rows, self.policy.own_domains, self.now)
        row = resolution.learned or next(iter(resolution.matched), "")
        if resolution.outcome == "error":
            return BadTable(recipient, resolution.detail, row=row)
        if resolution.outcome in ("unknown", "disabled", "expired"):
            why = resolution.detail or f"{recipient.key} is unknown"
            return Reject(recipient, why, of_alias(resolution.outcome), row=row)
        try:
            scope = resolution.matched[0]
            ruling = ruled(self.senders, self.by_header, scope, self.rows, self.policy.own_domains)
        except BadRow as fault:
            return BadTable(recipient, str(fault), row=row)
        decision = (
            self._unless_released(self._going_round(recipient, resolution))
            or self._unless_released(_refused(recipient, ruling))
            or self._unless_released(self._crowded(recipient, row))
            or self._too_large(recipient)
            or self._unless_released(self._screened(recipient, resolution, ruling))
            or self._unless_released(self._in_our_name(recipient))
            or self._forwarded(recipient, resolution, ruling)
        )
        return replace(decision, alias=resolution.alias, row=row)

    def _unless_released(self, decision: Decision | None) -> Decision | None:
        lifted = isinstance(decision, Quarantine) and decision.recipient.key in self.released
        return None if lifted else decision

    def _screened(self, recipient: Address, resolution: aliases.Resolution, ruling: Ruling) -> Decision | None:
        excused = ruling.first(OK) is not None
        common = Settings.of(self.rows).verdict_actions
        found = self.envelope.verdicts.forbids(resolution.verdicts, common, spam_excused=excused)
        if found and found[0] == "reject":
            return Reject(recipient, found[1], POLICY)
        if found:
            return _INSTEAD[found[0]](recipient, found[1])
        keeps = self.score is not None and self.score.keeps and not excused
        return Quarantine(recipient, f"screening: {self.score}") if keeps else None

    def _forwarded(self, recipient: Address, resolution: aliases.Resolution, ruling: Ruling) -> Decision:
        decision = _forward(recipient, resolution, ruling, self.rows)
        if not isinstance(decision, Forward):
            return decision
        released = recipient.key in self.released
        excused = ruling.first(OK) is not None or released
        lines = (*decision.prepended, *self._verdict_fields())
        own = resolution.first.reply if resolution.first else ""
        replies = (own or Settings.of(self.rows).reply) != REPLIES[0]
        counted = self._counted(decision, resolution, released)
        return replace(counted, prepended=lines, tags=ruling.tags, excused=excused, replies=replies)

    def _counted(self, forward: Forward, resolution: aliases.Resolution, released: bool) -> Forward:
        """The forward, with what it counts as."""
        robot, tag = is_automatic(self.envelope, self.header), Settings.of(self.rows).subject_tag
        found = None if released else echo(self.envelope, self.header, forward.alias, resolution.destinations, tag)
        forward = replace(forward, learn=resolution.learn, uses=resolution.counted)
        return replace(forward, counted=counted_as(self.envelope, robot=robot), echo=found)

    def _verdict_fields(self) -> tuple[str, ...]:
        """The lines for the mailbox's own filter; none unless the settings ask for them or screening found
        something."""
        wanted = Settings.of(self.rows).verdict_fields
        if not wanted and self.score is None:
            return ()
        from .verdict_fields import lines  # noqa: PLC0415 (for who screens only)

        return tuple(lines(self.envelope.verdicts, self.score, all_of_them=wanted))

    def _in_our_name(self, recipient: Address) -> Quarantine | None:
        """Quarantine a From of ours that SES's results do not confirm. No alias and no sender rule exempts from
        this."""
        if Settings.of(self.rows).own_from != QUARANTINED:
            return None
        author = impostor(self.envelope, self.header, self.policy.own_domains)
        why = f"{author} in From is ours, and SES saw neither SPF nor DKIM pass for its domain"
        return Quarantine(recipient, why) if author else None

    def _crowded(self, recipient: Address, scope: str) -> Quarantine | None:
        """Quarantine a From with more authors than are looked up, if a rule may exist for one, or a field that is too
        large to read."""
        if self.by_header is not None and (excess := self.by_header.excess(scope)):
            return Quarantine(recipient, excess)
        found = len(self.senders.authors) + self.senders.unseen
        return Quarantine(recipient, f"{found} authors in From, too many to look up") if self.senders.unseen else None

    def _too_large(self, recipient: Address) -> Quarantine | None:
        """Quarantine a header too large to read: it is not forwarded, even on a person's order."""
        return Quarantine(recipient, self.header.excess) if self.header.excess else None

    def _going_round(self, recipient: Address, resolution: aliases.Resolution) -> Decision | None:
        """Reject a message that we have forwarded before."""
        assert resolution.alias is not None  # set whenever a row matched
        if self.header.is_stamped(self.policy.stamp_key, resolution.alias):
            return Reject(recipient, f"loop: it was forwarded for {resolution.alias} before")
        if self.header.hops >= MAX_HOPS:
            return Reject(recipient, f"loop: {self.header.hops} Received fields")
        return None


def _refused(recipient: Address, ruling: Ruling) -> Decision | None:
    """The refusal of the sender rules, if any: a refusal comes before DISCARD, and that before HOLD."""
    final = ruling.final
    if final is not None and final.action.word == DISCARD:
        return Discard(recipient, str(ruling))
    if final is not None and final.action.word != OK:
        if final.action.word.startswith("4"):
            return Defer(recipient, str(ruling))
        return Reject(recipient, str(ruling), of_rule(final.action))
    return Quarantine(recipient, str(ruling)) if ruling.first(HOLD) else None


def _forward(recipient: Address, resolution: aliases.Resolution, ruling: Ruling, rows: Rows) -> Decision:
    why = f"alias {resolution.matched[0]}" + (f"; {resolution.detail}" if resolution.detail else "")
    why += f"; {ruling}" if ruling.rules else ""
    assert resolution.alias is not None  # set whenever a row matched
    targets = (ruling.redirect,) if ruling.redirect else (*resolution.destinations, *ruling.copies)
    unique: dict[str, Address] = {}
    for target in targets:
        unique.setdefault(target.key, target)
    if not unique:
        return Discard(recipient, f"{why}; {aliases.DISCARD}")
    held = [one for one in unique.values() if brake.held(one.key, resolution.derived, rows)]
    ailing = tuple(dict.fromkeys((*health.suspended(unique.values(), rows), *held)))
    why += f"; {health.why(ailing, rows)}" if ailing else ""
    left = tuple(target for target in unique.values() if target not in ailing)
    if not left:
        return Quarantine(recipient, why, ailing)
    by_domain = resolution.matched[0].startswith("@")
    slow = frozenset(one.key for one in left if not brake.is_proven(one.key, rows))
    steered = slow & frozenset(resolution.derived)
    made = Forward(recipient, why, resolution.alias, left, ruling.prepended, ailing, slow, by_domain)
    return replace(made, steered=steered)
