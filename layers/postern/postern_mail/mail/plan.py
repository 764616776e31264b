"""The plan: what is to become of a message, decided for each recipient before anything is done.

The order of the questions: is there such an alias, does the message go round, does a sender rule
refuse or keep this sender's mail, do SES's verdicts forbid forwarding. The first that says no decides.
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
    """What holds for all mail of a stack.

    `own_domains`: a destination in one of them is looked up again; `parent_style`: one of
    senders.PARENT_STYLES; `stamp_key` signs our loop stamps.
    """

    own_domains: Collection[str]
    parent_style: str = PARENT
    stamp_key: bytes = TEST_KEY


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What the tables have of a message: whom the sender rules take for its senders, and every row that is needed."""

    senders: Senders
    rows: Rows

    @property
    def settings(self) -> Settings:
        """What the owner wants for all mail; raises BadSettings."""
        return Settings.of(self.rows)


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one recipient's copy, and why. `alias` is the one whose row was found, None for a recipient
    that has none, or whose row cannot be understood; `row` is that row's key, also of one that is disabled, "" for
    none."""

    recipient: Address
    reason: str
    alias: Address | None = field(default=None, compare=False, kw_only=True)
    row: str = field(default="", compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Forward(Decision):
    """Sent on, in the name of `alias`, to each destination, with the header lines of sender rules. `unproven` are the
    keys of destinations of which only a few may be out at once (`brake`). `excused`: a sender rule said OK, or a
    person released it, so that no grey hold keeps it."""

    alias: Address = field(kw_only=False)
    destinations: tuple[Address, ...]
    prepended: tuple[str, ...] = ()
    suspended: tuple[Address, ...] = ()
    unproven: frozenset[str] = field(default=frozenset(), compare=False)
    by_domain: bool = field(default=False, compare=False)  # the row of a domain answered
    steered: frozenset[str] = field(default=frozenset(), compare=False)  # of `unproven`, those a sender chose
    counted: str = field(default="", compare=False)  # whom it counts for: senders.counted_as
    tags: tuple[str, ...] = ()  # of rules, before the subject
    replies: bool = field(default=False, compare=False)  # its correspondents are shown by reply addresses
    echo: Echo | None = field(default=None, compare=False)  # it comes from where the alias leads
    excused: bool = field(default=False, compare=False)
    learn: "Learn | None" = field(default=None, compare=False)  # a name without a row, that the domain's row learns
    uses: "Counted | None" = field(default=None, compare=False)  # the row that ends after so many messages


@dataclass(frozen=True, slots=True)
class Quarantine(Decision):
    """Kept, not forwarded, releasable. `suspended` are the destinations that would have got it but for
    their health, as in Forward."""

    suspended: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class Reject(Decision):
    """Not forwarded: the alias or a sender rule says no. `reply` is what the sender may be told; None for
    a loop, which nobody is told of."""

    reply: Reply | None = None


class Discard(Decision):
    """Not forwarded and not missed: the owner asked for that."""


class Defer(Decision):
    """Not decided yet: until somebody mends a row, or a rule that says `not now` changes. Retried, and
    everybody else goes ahead."""


@dataclass(frozen=True, slots=True)
class GreyHold(Defer):
    """Not before `release_at`, epoch seconds: then it is screened again. Nothing is wrong (`mail.greylist`)."""

    release_at: int = 0


class BadTable(Defer):
    """Deferred until somebody mends a row that cannot be understood, or aliases that lead round."""


_INSTEAD: dict[str, type[Decision]] = {"quarantine": Quarantine, "discard": Discard}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one destination: the first recipient gives the name, the others are merged."""

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
        """Whether strangers choose among many names that lead there."""
        return self.forwards[0].by_domain

    @property
    def counted(self) -> str:
        """Whom it counts for."""
        return self.forwards[0].counted

    @property
    def replies(self) -> bool:
        """Whether its correspondents are shown by reply addresses."""
        return self.forwards[0].replies

    @property
    def is_steered(self) -> bool:
        """Whether a sender chose where it leads, and nothing ever arrived there."""
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
    `released`: keys of recipients whose quarantine a person has lifted; a virus is quarantined all the same.
    `score`: what screening found, None where nothing was asked.
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
    """The sender rules for the alias whose key is `scope`, and the header rules if those do not refuse it. Raises
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
        """The forward with what it counts as."""
        robot, tag = is_automatic(self.envelope, self.header), Settings.of(self.rows).subject_tag
        found = None if released else echo(self.envelope, self.header, forward.alias, resolution.destinations, tag)
        forward = replace(forward, learn=resolution.learn, uses=resolution.counted)
        return replace(forward, counted=counted_as(self.envelope, robot=robot), echo=found)

    def _verdict_fields(self) -> tuple[str, ...]:
        """The lines for the mailbox's own filter; none where nobody asked for them and nothing was found."""
        wanted = Settings.of(self.rows).verdict_fields
        if not wanted and self.score is None:
            return ()
        from .verdict_fields import lines  # noqa: PLC0415 (for who screens only)

        return tuple(lines(self.envelope.verdicts, self.score, all_of_them=wanted))

    def _in_our_name(self, recipient: Address) -> Quarantine | None:
        """A From of ours that SES's results do not show to be ours. No alias and no sender rule excuses from it."""
        if Settings.of(self.rows).own_from != QUARANTINED:
            return None
        author = impostor(self.envelope, self.header, self.policy.own_domains)
        why = f"{author} in From is ours, and SES saw neither SPF nor DKIM pass for its domain"
        return Quarantine(recipient, why) if author else None

    def _crowded(self, recipient: Address, scope: str) -> Quarantine | None:
        """A From with more authors than are looked up, for which a rule may be, or a field with more than is read."""
        if self.by_header is not None and (excess := self.by_header.excess(scope)):
            return Quarantine(recipient, excess)
        found = len(self.senders.authors) + self.senders.unseen
        return Quarantine(recipient, f"{found} authors in From, too many to look up") if self.senders.unseen else None

    def _too_large(self, recipient: Address) -> Quarantine | None:
        """A header that nobody read to its end: it is not forwarded, whoever orders that."""
        return Quarantine(recipient, self.header.excess) if self.header.excess else None

    def _going_round(self, recipient: Address, resolution: aliases.Resolution) -> Decision | None:
        """A message that we have forwarded before."""
        assert resolution.alias is not None  # it is set whenever a row matched
        if self.header.is_stamped(self.policy.stamp_key, resolution.alias):
            return Reject(recipient, f"loop: it was forwarded for {resolution.alias} before")
        if self.header.hops >= MAX_HOPS:
            return Reject(recipient, f"loop: {self.header.hops} Received fields")
        return None


def _refused(recipient: Address, ruling: Ruling) -> Decision | None:
    """What the sender rules have against forwarding: a refusal counts before DISCARD, and that before HOLD."""
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
    assert resolution.alias is not None  # it is set whenever a row matched
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
