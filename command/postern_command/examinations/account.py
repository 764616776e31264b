"""Whether SES lets the account send: sandbox, quota, standing, price."""

from collections.abc import Iterator

from postern_mail.examination import Examination, Finding, Grade

from ..stack import Stack
from ..surroundings import Surroundings

GROUP = "Sending"  # as in what the hourly watch looks at
NEARLY_FULL = 0.8  # of the quota
# From here on SES puts an account under review, and pauses it at twice as much: docs.aws.amazon.com/ses,
# "Understanding and managing your sender reputation". Our alarms ring before.
RATES = {"BounceRate": (0.05, 0.10, "bounces"), "ComplaintRate": (0.001, 0.005, "complaints")}
_ASK = (
    "ask for production access (docs/getting-started.md); until then verify each mailbox:"
    " `aws sesv2 create-email-identity --email-identity ADDRESS`"
)


def sandbox(around: Surroundings) -> Iterator[Finding]:
    """Whether the account has production access."""
    found = around.sending
    if found.production:
        yield Finding("out of the sandbox: mail goes to any address", grade=Grade.OK)
        return
    review = {"PENDING": "; the request for production access waits for an answer", "DENIED": "; it was refused"}
    seen = f"in SES's sandbox: {found.a_day:.0f} messages a day, to verified addresses only"
    todo = "answer what AWS asks in the support centre" if found.review == "DENIED" else _ASK
    yield Finding(f"{seen}{review.get(found.review, '')}", todo, Grade.WARNING)


def paused(around: Surroundings) -> Iterator[Finding]:
    """Whether SES sends for the account at all; for a deployed stack the hourly watch looks at that too."""
    found = around.sending
    if not found.enabled or found.standing == "SHUTDOWN":
        yield Finding(
            f"SES has paused sending for this account ({found.standing.lower()}): mail waits",
            "read the mail from AWS, or the support centre; a pause of your own ends with"
            " `aws sesv2 put-account-sending-attributes --sending-enabled`",
        )


def standing(around: Surroundings) -> Iterator[Finding]:
    """Whether SES finds something wrong with the account."""
    found = around.sending
    if found.enabled and found.standing not in ("HEALTHY", "SHUTDOWN"):
        yield Finding(
            f"SES reviews this account ({found.standing.lower()}); it may be paused",
            "see what bounces: `postern log --state lost --since 7d`, `postern destination list`",
            Grade.WARNING,
        )
    elif found.enabled:
        yield Finding("SES finds nothing wrong with this account", grade=Grade.OK)


def quota(around: Surroundings) -> Iterator[Finding]:
    """What SES takes in 24 hours, against the busiest day of the last two weeks."""
    from ..aws import account  # noqa: PLC0415 (boto3 takes half a second)

    most, busiest = around.sending.a_day, account.busiest_day()
    if most < 0:  # docs.aws.amazon.com/ses, SendQuota: -1 is no limit
        yield Finding("no quota", grade=Grade.OK)
        return
    seen = f"{most:.0f} messages in 24 hours; the busiest of 14 days had {busiest}"
    if busiest >= most * NEARLY_FULL:
        grade = Grade.FAILED if busiest >= most else Grade.WARNING
        yield Finding(f"{seen}: what is over it waits", "ask for more under Service Quotas, Amazon SES", grade)
    else:
        yield Finding(seen, grade=Grade.OK)


def reputation(around: Surroundings) -> Iterator[Finding]:  # noqa: ARG001 (all examinations of a around take it)
    """The rates by which SES judges the account."""
    from ..aws import account  # noqa: PLC0415 (boto3 takes half a second)

    for metric, (review, pause, what) in RATES.items():
        rate = account.rate(metric)
        if rate is None:
            yield Finding(f"{what}: nothing was sent lately", grade=Grade.OK)
            continue
        grade = Grade.OK if rate < review / 2 else Grade.WARNING if rate < review else Grade.FAILED
        todo = "" if grade is Grade.OK else "see whose mail it is: `postern log --state lost --since 7d`"
        yield Finding(f"{what}: {rate:.2%}; SES reviews at {review:.1%} and pauses at {pause:.1%}", todo, grade)


def price_plan(around: Surroundings) -> Iterator[Finding]:
    """What 1,000 messages cost: new accounts are on a dearer plan since July 2026."""
    plan = around.sending.plan
    if plan in ("", "NONE"):
        yield Finding("prices by feature: 0.10 USD for 1,000 messages out", grade=Grade.OK)
        return
    yield Finding(
        f"the plan {plan.title()}: 0.16 USD or more for 1,000 messages out, 0.10 by feature",
        "if you need none of its extras: `aws sesv2 put-account-pricing-attributes --plan NONE`",
        Grade.WARNING,
    )


def unverified(stack: Stack, around: Surroundings) -> Iterator[Finding]:
    """In the sandbox, the mailboxes that SES does not send to."""
    if around.sending.production:
        yield Finding("none is needed outside the sandbox", grade=Grade.OK)
        return
    from ..aws import account  # noqa: PLC0415 (boto3 takes half a second)

    verified = account.verified()
    wanted = {one.lower() for row in stack.rows.scan("aliases") for one in row.get("destinations", ())}
    outside = {one for one in wanted if "@" in one and one.rpartition("@")[2] not in stack.domains}
    for one in sorted(outside):
        if not verified & {one, one.rpartition("@")[2]}:
            yield Finding(
                f"{one} gets nothing yet: it is not verified",
                f"`aws sesv2 create-email-identity --email-identity {one}`, and a click on the link that comes",
            )


EXAMINATIONS: tuple[Examination[Surroundings], ...] = (
    Examination(GROUP, "sandbox", sandbox),
    Examination(GROUP, "standing", standing),
    Examination(GROUP, "quota", quota),
    Examination(GROUP, "reputation", reputation),
    Examination(GROUP, "price plan", price_plan),
)
