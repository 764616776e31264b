"""Whether SES lets the account send: sandbox, quota, enforcement status, price."""

from collections.abc import Iterator

from postern_mail.examination import Examination, Finding, Grade

from ..stack import Stack
from ..surroundings import Surroundings

GROUP = "Sending"  # also a group of the hourly watch
NEARLY_FULL = 0.8  # of the quota
# Rates from which SES reviews an account, and pauses it: docs.aws.amazon.com/ses, "Understanding and managing your
# sender reputation". Our alarms fire earlier.
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
    review = {"PENDING": "; the request for production access is pending", "DENIED": "; the request was denied"}
    seen = f"in SES's sandbox: {found.a_day:.0f} messages a day, to verified addresses only"
    todo = "answer AWS in the Support Center" if found.review == "DENIED" else _ASK
    yield Finding(f"{seen}{review.get(found.review, '')}", todo, Grade.WARNING)


def paused(around: Surroundings) -> Iterator[Finding]:
    """Whether SES sends for the account at all; for a deployed stack the hourly watch checks that too."""
    found = around.sending
    if not found.enabled or found.standing == "SHUTDOWN":
        yield Finding(
            f"SES has paused sending for this account ({found.standing.lower()}): mail waits",
            "read the mail from AWS, or the Support Center; if you paused it yourself, resume with"
            " `aws sesv2 put-account-sending-attributes --sending-enabled`",
        )


def standing(around: Surroundings) -> Iterator[Finding]:
    """Whether SES has the account under review."""
    found = around.sending
    if found.enabled and found.standing not in ("HEALTHY", "SHUTDOWN"):
        yield Finding(
            f"SES has this account under review ({found.standing.lower()}) and may pause it",
            "see what bounces: `postern log --state lost --since 7d`, `postern destination list`",
            Grade.WARNING,
        )
    elif found.enabled:
        yield Finding("SES finds nothing wrong with this account", grade=Grade.OK)


def quota(around: Surroundings) -> Iterator[Finding]:
    """The quota for 24 hours, against the busiest day of the last two weeks."""
    from ..aws import account  # noqa: PLC0415 (boto3 takes half a second)

    most, busiest = around.sending.a_day, account.busiest_day()
    if most < 0:  # docs.aws.amazon.com/ses, SendQuota: -1 is no limit
        yield Finding("no quota", grade=Grade.OK)
        return
    seen = f"{most:.0f} messages in 24 hours; the busiest of 14 days had {busiest}"
    if busiest >= most * NEARLY_FULL:
        grade = Grade.FAILED if busiest >= most else Grade.WARNING
        yield Finding(f"{seen}: mail over the quota waits", "ask for more under Service Quotas, Amazon SES", grade)
    else:
        yield Finding(seen, grade=Grade.OK)


def reputation(around: Surroundings) -> Iterator[Finding]:  # noqa: ARG001 (every examination takes it)
    """The bounce and complaint rates by which SES judges the account."""
    from ..aws import account  # noqa: PLC0415 (boto3 takes half a second)

    for metric, (review, pause, what) in RATES.items():
        rate = account.rate(metric)
        if rate is None:
            yield Finding(f"{what}: no mail was sent recently", grade=Grade.OK)
            continue
        grade = Grade.OK if rate < review / 2 else Grade.WARNING if rate < review else Grade.FAILED
        todo = "" if grade is Grade.OK else "find the mail that bounces: `postern log --state lost --since 7d`"
        yield Finding(f"{what}: {rate:.2%}; SES reviews at {review:.1%} and pauses at {pause:.1%}", todo, grade)


def price_plan(around: Surroundings) -> Iterator[Finding]:
    """The price of 1,000 messages: new accounts are on a more expensive plan since July 2026."""
    plan = around.sending.plan
    if plan in ("", "NONE"):
        yield Finding("pay per feature: 0.10 USD for 1,000 messages sent", grade=Grade.OK)
        return
    yield Finding(
        f"the plan {plan.title()}: 0.16 USD or more for 1,000 messages sent; it is 0.10 without a plan",
        "unless you need its extras: `aws sesv2 put-account-pricing-attributes --plan NONE`",
        Grade.WARNING,
    )


def unverified(stack: Stack, around: Surroundings) -> Iterator[Finding]:
    """In the sandbox, the destinations that SES does not send to."""
    if around.sending.production:
        yield Finding("outside the sandbox they need no verification", grade=Grade.OK)
        return
    from ..aws import account  # noqa: PLC0415 (boto3 takes half a second)

    verified = account.verified()
    wanted = {one.lower() for row in stack.rows.scan("aliases") for one in row.get("destinations", ())}
    outside = {one for one in wanted if "@" in one and one.rpartition("@")[2] not in stack.domains}
    for one in sorted(outside):
        if not verified & {one, one.rpartition("@")[2]}:
            yield Finding(
                f"{one} gets no mail yet: it is not verified",
                f"`aws sesv2 create-email-identity --email-identity {one}`, then open the link in the mail that comes",
            )


EXAMINATIONS: tuple[Examination[Surroundings], ...] = (
    Examination(GROUP, "sandbox", sandbox),
    Examination(GROUP, "standing", standing),
    Examination(GROUP, "quota", quota),
    Examination(GROUP, "reputation", reputation),
    Examination(GROUP, "price plan", price_plan),
)
