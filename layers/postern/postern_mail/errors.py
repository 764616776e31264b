"""How things fail. Every failure is one of two kinds, and neither is ignored.

Temporary leaves the handler as an exception: Lambda retries, then the on-failure queue keeps the event. Permanent is
recorded in the ledger and counted; the original message stays in S3.

What the pure core raises about its input (`mail.envelope.BadEvent`, `mail.rows.BadRow`) is a ValueError; `forward` lets
the first leave the handler and turns the second into a deferred recipient.
"""


class PosternError(Exception):
    """A failure that Postern reports; the message names what failed."""


class Temporary(PosternError):
    """It may work later, so it leaves the handler and is retried."""


class Unavailable(Temporary):
    """AWS or the network did not do what was asked, or did not answer."""


class Unanswered(Unavailable):
    """SES was asked to send and did not answer: it may or may not have sent."""


class Throttled(Temporary):
    """AWS asks us to slow down."""


class TooFast(Throttled):
    """SES accepts no more messages from this account for now, whatever they are."""


class Misconfigured(Temporary):
    """The set-up must be fixed; until then the mail is kept and retried, never bounced."""


class MessageMissing(Temporary):
    """The message's object is not in the mail bucket."""


class EntryMissing(Temporary):
    """The ledger has no entry for the sending that SES reports on."""


class ClaimHeld(Temporary):
    """Another invocation is sending to this destination now, or died while it did."""


class ClaimLost(Temporary):
    """Our claim expired and another invocation took it over before we could settle it."""


class OverCap(Temporary):
    """An alias has sent as much to a destination as its cap allows; the next hour has room again."""


class NotYet(Temporary):
    """A few messages are on their way to a domain with no history; more follow once feedback about them arrives."""


class OutOfTime(Temporary):
    """Too little time is left to start another sending; the next invocation does the rest."""


class Unsettled(Temporary):
    """Some recipients or destinations of a message could not be settled; the message names them."""


class LoginRefused(Temporary):
    """SES's SMTP service does not accept these credentials, or not yet."""


class TooSoon(Temporary):
    """The SMTP credentials were rotated so recently that an instance may still use the previous ones."""


class Overtaken(PosternError):
    """The row changed after it was read, so nothing was written over it."""


class Permanent(PosternError):
    """It will never work, so it is recorded and not retried."""


class Refused(Permanent):
    """SES refuses this message or this destination for good."""
