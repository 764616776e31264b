"""What a stack costs a month: what is billed, times the prices of docs/prices.toml. docs/costs.md is made from it.

What stands whether mail comes or not is counted in the templates. What a run and a message ask for is a number here,
and tests count the calls against it (tests/operating/test_what_is_billed.py).
"""

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.template import Template, parsed

DOCS = Path(__file__).parent
Usage = Mapping[str, float]  # amounts a month, by the names of the prices

DAYS, HOURS = 30, 720
# A Lambda event source of a queue asks it with five pollers, each every 20 seconds ("Using Lambda with Amazon SQS").
POLLS = 5 * 3 * 60 * HOURS
SIZE_GB = 100 / 1024 / 1024  # of a message: 100 KB with one destination
LEDGER_GB = 4 / 1024 / 1024 * 37 / DAYS  # entries of a message: 4 KB, kept for 37 days
LOG_GB = 4 / 1024 / 1024  # lines of a message, or of a run: 4 KB

# One run at most, when there is nothing to do.
WATCH = {
    "lambda-requests": 1, "lambda-gb-seconds": 0.25 * 4, "s3-writes": 1 / 3, "dynamodb-reads": 21, "dynamodb-writes": 2,
    "sqs": 4, "metric-requests": 40, "sns": 1, "log-gb": LOG_GB, "schedules": 1,
}  # fmt: skip
# A day is added up four times, and each message with it.
SUMMARY = {"dynamodb-reads": 18, "dynamodb-writes": 8}
SUMMED_UP = {"dynamodb-reads": 6, "dynamodb-writes": 1}
DIGEST = {
    "lambda-requests": 1, "lambda-gb-seconds": 0.25 * 4, "dynamodb-reads": 60, "dynamodb-writes": 6, "sqs": 1,
    "log-gb": LOG_GB, "schedules": 1,
}  # fmt: skip
# One message with one destination, and the event of its delivery.
MESSAGE = {
    "ses-in": 1, "ses-out": 1, "ses-out-gb": SIZE_GB, "lambda-requests": 2, "lambda-gb-seconds": 1.0 + 0.25 * 0.3,
    "dynamodb-writes": 19, "dynamodb-reads": 16, "s3-writes": 1, "s3-reads": 1, "s3-gb": SIZE_GB, "log-gb": LOG_GB,
    "dynamodb-gb": LEDGER_GB, "dynamodb-backup-gb": LEDGER_GB,
}  # fmt: skip
# One daily test of a domain, of 2 KB: it goes out, comes in and is kept for 30 days.
DAILY_TEST = {
    **MESSAGE, "ses-out-gb": 2 / 1024 / 1024, "s3-gb": 2 / 1024 / 1024, "dynamodb-writes": 17, "dynamodb-reads": 16,
}  # fmt: skip
# A look of the recipients function at a table of 100 aliases, where it is there at all (RefuseUnknownRecipients).
RECIPIENTS = {
    "lambda-requests": 1, "lambda-gb-seconds": 0.5 * 2, "dynamodb-reads": 5, "dynamodb-writes": 2, "log-gb": LOG_GB,
    "schedules": 1,
}  # fmt: skip
# A page behind a link is read by a scanner and by a person, and its button pressed: a message is released. Each request
# may start the function.
LINK = {
    "lambda-requests": 3, "lambda-gb-seconds": 0.25 * 3 * 2, "dynamodb-reads": 6, "dynamodb-writes": 10, "s3-reads": 1,
    "sqs": 1, "log-gb": LOG_GB,
}  # fmt: skip
METRICS_OF_THE_WATCH = 1  # NeedsSomebody; the others count when mail comes
MESSAGES_A_DAY = (0, 20, 500, 100_000)
MOST_OF_A_QUERY = 10_000  # metrics that a query of Metrics Insights may look at
STACK, RELAY = DOCS.parent / "template.yaml", DOCS.parent / "relay/template.yaml"


@dataclass(frozen=True, slots=True)
class Price:
    """What AWS charges for a number of units, and how many are free each month."""

    what: str
    dollars: float
    per: float
    free: float = 0

    def of(self, amount: float) -> float:
        """Dollars for what is not free."""
        return max(0.0, amount - self.free) * self.dollars / self.per


def prices() -> dict[str, Price]:
    """The price list, by name."""
    found = tomllib.loads((DOCS / "prices.toml").read_text(encoding="utf-8"))
    return {name: Price(**price) for name, price in found.items() if isinstance(price, dict)}


def total(usage: Usage) -> float:
    """Dollars a month behind the free tiers. Raises KeyError for what has no price."""
    known = prices()
    return sum(known[name].of(amount) for name, amount in usage.items())


def added(*usages: Usage) -> dict[str, float]:
    """All together."""
    names = dict.fromkeys(name for usage in usages for name in usage)
    return {name: sum(usage.get(name, 0) for usage in usages) for name in names}


def times(usage: Usage, number: float) -> Usage:
    """So often the same."""
    return {name: amount * number for name, amount in usage.items()}


def made(path: Path, **parameters: str) -> dict[str, Any]:
    """The resources that a template makes with these parameters, and the defaults of all others."""
    known = parsed(path)["Parameters"]
    required = {name: "example.com" for name, spec in known.items() if "Default" not in spec}
    template = Template.load(path, "postern", {**required, **parameters})
    return {
        name: body
        for name, body in template.document["Resources"].items()
        if "Condition" not in body or template.holds(body["Condition"])
    }


def standing(resources: Mapping[str, Mapping[str, Any]]) -> Usage:
    """What is billed of resources because they are there."""
    found: Counter[str] = Counter()
    for body in resources.values():
        properties = body.get("Properties", {})
        match body["Type"]:
            case "AWS::CloudWatch::Alarm":
                found.update(_alarm(properties))
            case "AWS::CloudWatch::Dashboard":
                found["dashboards"] += 1
            case "AWS::SecretsManager::Secret":
                found["secrets"] += 1
            case "AWS::KMS::Key":
                found["keys"] += 1
            case "AWS::Lambda::EventSourceMapping":
                found["sqs"] += POLLS * _is_queue(properties["EventSourceArn"], resources)
            case "AWS::Serverless::Function":
                events = properties.get("Events", {}).values()
                found["sqs"] += POLLS * sum(one["Type"] == "SQS" for one in events)
            case _:
                pass
    return +found


def _alarm(properties: Mapping[str, Any]) -> dict[str, int]:
    """An alarm over an expression is billed by the metrics in it, one over a query by all that the query can match."""
    metrics = properties.get("Metrics")
    if metrics is None:
        return {"alarms": 1}
    queries = sum(one.get("Expression", "").lstrip().upper().startswith("SELECT") for one in metrics)
    return {"queries": MOST_OF_A_QUERY * queries, "alarms": sum("MetricStat" in one for one in metrics)}


def _is_queue(source: Any, resources: Mapping[str, Mapping[str, Any]]) -> bool:
    name = source["Fn::GetAtt"] if isinstance(source, Mapping) else source
    name = name[0] if isinstance(name, list) else str(name).partition(".")[0]
    return bool(resources[name]["Type"] == "AWS::SQS::Queue")


def idle(**parameters: str) -> dict[str, float]:
    """A stack with an owner, to which no mail comes."""
    stands = standing(made(STACK, **parameters))
    refuses = parameters.get("RefuseUnknownRecipients") == "true"
    looks = times(RECIPIENTS, 12 * HOURS * refuses)
    return added(
        stands, {"metrics": METRICS_OF_THE_WATCH}, times(WATCH, HOURS), times(added(DIGEST, SUMMARY), DAYS), looks
    )


def mail(messages: float, *, essentials: bool) -> Usage:
    """The usage of `messages` messages, for one destination each."""
    found = dict(times(added(MESSAGE, SUMMED_UP), messages))
    if essentials:
        found["ses-out-essentials"] = found.pop("ses-out")
        del found["ses-out-gb"]
    return found


def month(messages_a_day: float, *, essentials: bool = True) -> dict[str, float]:
    """The usage of a stack in a month with `messages_a_day` messages each day."""
    if not messages_a_day:
        return idle()
    counting = {"metrics": metrics() - METRICS_OF_THE_WATCH}
    return added(idle(), mail(messages_a_day * DAYS, essentials=essentials), counting)


def metrics() -> int:
    """How many custom metrics a stack has: each name with its dimensions is one."""
    rows = re.findall(r"^\| (`.*?) \|", (DOCS / "reference/metrics.md").read_text(encoding="utf-8"), re.MULTILINE)
    return sum(len(re.findall(r"`\w+`", row)) for row in rows)


def relay() -> Usage:
    """The relay's stack with one host: its alarms, two metrics, and what the host tells each five minutes."""
    return added(standing(made(RELAY)), {"metrics": 2, "metric-requests": 12 * HOURS})


def document() -> str:
    """docs/costs.md, after its first line."""
    stated = tomllib.loads((DOCS / "prices.toml").read_text(encoding="utf-8"))
    essentials = [month(number) for number in MESSAGES_A_DAY]
    by_feature = [month(number, essentials=False) for number in MESSAGES_A_DAY]
    return f"""\
# What it costs

Dollars a month in {stated["region"]}, by the price list of {stated["date"]} (docs/prices.toml: enter your region's
prices and run `make docs`), after AWS's always-free tiers, in an account that is used for nothing else. Each message
has 100 KB and one destination, and is delivered; each further destination is another message out. Resources are counted
in the templates. The calls of a run and of a message are numbers in docs/costs.py, which tests compare with real calls;
how long the functions take is an assumption.

| messages a day | {" | ".join(f"{number:,}" if number else "none" for number in MESSAGES_A_DAY)} |
|---|{"--:|" * len(MESSAGES_A_DAY)}
| plan Essentials | {" | ".join(map(_dollars, essentials))} |
| prices by feature | {" | ".join(map(_dollars, by_feature))} |

Accounts created since July 2026, and those that had sent nothing for a year by then, are on SES's plan Essentials. New
accounts have no free messages. `aws sesv2 put-account-pricing-attributes --plan NONE` returns to prices by feature.

## Line by line, on the plan Essentials

| | free | {" | ".join(f"{number:,} a day" if number else "idle" for number in MESSAGES_A_DAY)} |
|---|--:|{"--:|" * len(MESSAGES_A_DAY)}
{_lines(essentials)}

In brackets: the amount that is within the free tier.

## What comes on top

| | dollars a month |
|---|--:|
{_additions()}

Mail to unknown addresses costs nothing with `RefuseUnknownRecipients`; without it, it costs as much as other mail minus
SES's price for sending. The hosts of a relay cost what EC2 charges for them.
"""


def _dollars(usage: Usage) -> str:
    return f"{total(usage):,.2f}"


def _lines(usages: list[dict[str, float]]) -> str:
    rows = []
    for name, price in prices().items():
        if price.dollars and any(usage.get(name) for usage in usages):
            cells = [_cell(price, usage.get(name, 0)) for usage in usages]
            rows.append(f"| {price.what} | {f'{price.free:,.0f}' if price.free else ''} | {' | '.join(cells)} |")
    return "\n".join([*rows, f"| **together** | | {' | '.join(f'**{_dollars(usage)}**' for usage in usages)} |"])


def _cell(price: Price, amount: float) -> str:
    if not amount:
        return ""
    return f"{price.of(amount):,.4f}" if amount > price.free else f"({amount:,.0f})" if amount >= 1 else "(0)"


def _additions() -> str:
    first = idle()
    found = {
        "the daily test message, for each domain (`daily_test`)": total(times(DAILY_TEST, DAYS)),
        "a second stage in the same account, idle": total(added(first, idle())) - total(first),
        "the relay, with one host, on top of a stack that gets 20 messages a day": total(added(month(20), relay()))
        - total(month(20)),
        "`RefuseUnknownRecipients`, with 100 aliases": total(idle(RefuseUnknownRecipients="true")) - total(first),
        "`CustomerKey`": total(idle(CustomerKey="true")) - total(first),
        "`MakeDashboard`": total(idle(MakeDashboard="true")) - total(first),
        "`Links`, idle": total(idle(Links="true")) - total(first),
        "1,000 of its links pressed": total(added(first, times(LINK, 1000))) - total(first),
        "`AliasApi`, idle": total(idle(AliasApi="true")) - total(first),
    }
    return "\n".join(f"| {what} | {dollars:.2f} |" for what, dollars in found.items())
