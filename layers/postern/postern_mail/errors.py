"""How things fail. Every failure is one of two kinds, and neither is ever passed over.

Temporary leaves the handler as an exception: Lambda retries, then the on-failure queue keeps the
event. Permanent is recorded in the ledger and counted; the original message stays in S3.

What the pure core raises about its input (`mail.envelope.BadEvent`, `mail.rows.BadRow`) is a
ValueError; `forward` lets the first leave the handler and turns the second into a deferred recipient.
"""


class PosternError(Exception):
    """Anything Postern says went wrong; the message names the thing."""


class Temporary(PosternError):
    """It may work later, so it leaves the handler and is retried."""


class Unavailable(Temporary):
    """AWS or the network did not do what was asked, or did not answer."""


class Unanswered(Unavailable):
    """SES was asked to send and no answer came: it may have sent or not."""


class Throttled(Temporary):
    """AWS asks us to slow down."""


class TooFast(Throttled):
    """SES takes no more messages of this account for now, whatever they are."""


class Misconfigured(Temporary):
    """Somebody must mend the set-up; until then the mail is kept and retried, never bounced."""


class MessageMissing(Temporary):
    """The message's object is not in the mail bucket."""


class EntryMissing(Temporary):
    """The ledger has no entry for what SES says about a sending."""


class ClaimHeld(Temporary):
    """Another invocation is sending to this destination right now, or died doing so."""


class ClaimLost(Temporary):
    """Our claim ran out and another invocation took it over before we could settle it."""


class OverCap(Temporary):
    """An alias has sent its fill to a destination; the next hour has room again."""


class NotYet(Temporary):
    """A few messages are out to a domain of which nothing is known; more go when it is heard of them."""


class OutOfTime(Temporary):
    """Too little time is left to begin another sending; the rest is for the next invocation."""


class Unsettled(Temporary):
    """Some recipients or destinations of a message could not be settled; it names them."""


class LoginRefused(Temporary):
    """SES's SMTP service does not take these credentials, or not yet."""


class TooSoon(Temporary):
    """The SMTP credentials were rotated so lately that an instance may still use those before."""


class Overtaken(PosternError):
    """What was to be changed was changed by somebody else after it was read, so nothing was written over it."""


class Permanent(PosternError):
    """It will never work, so it is recorded and not retried."""


class Refused(Permanent):
    """SES refuses this message or this destination for good."""
