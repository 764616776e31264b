"""Failures of SES to deliver to the bucket or the function, from its metrics of receipt rules."""

from datetime import UTC, datetime, timedelta
from typing import Any

from ..failures import translated

TRIED_AGAIN, GIVEN_UP = "PublishFailure", "PublishExpired"


def not_handed_over(client: Any, now: float, hours: int = 24) -> dict[str, int]:
    """How often SES failed to deliver a message in the last hours, and how many it gave up, by the metric's name,
    without zeros.

    The dimension of the metrics is undocumented (docs/quirks.md), so every metric of the name is read, and the largest
    count is used: SES may count the same for a rule and for its set. They cover the whole region, so a foreign rule
    counts too. Raises Temporary.
    """
    end = datetime.fromtimestamp(now, UTC)
    found = {name: _count(client, name, end - timedelta(hours=hours), end) for name in (TRIED_AGAIN, GIVEN_UP)}
    return {name: count for name, count in found.items() if count}


def _count(client: Any, name: str, start: datetime, end: datetime) -> int:
    with translated(f"CloudWatch ListMetrics ({name})"):
        pages = list(client.get_paginator("list_metrics").paginate(Namespace="AWS/SES", MetricName=name))
    return max((_sum(client, one, start, end) for page in pages for one in page["Metrics"]), default=0)


def _sum(client: Any, metric: Any, start: datetime, end: datetime) -> int:
    with translated(f"CloudWatch GetMetricStatistics ({metric['MetricName']})"):
        points = client.get_metric_statistics(
            Namespace=metric["Namespace"],
            MetricName=metric["MetricName"],
            Dimensions=metric["Dimensions"],
            StartTime=start,
            EndTime=end,
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
    return int(sum(point["Sum"] for point in points))
