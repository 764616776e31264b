"""The lines of the log and of the metrics are Powertools' own."""

import json
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools import Logger, Metrics
from postern_mail.aws.lines import Counts, Lines

CONTEXT: Any = SimpleNamespace(
    function_name="f", memory_limit_in_mb=128, invoked_function_arn="arn:x", aws_request_id="r"
)
ODD = {"a": 1, "b": ["x", "\xe9", "\u2028"], "nothing": None, "size": 1.5, "other": frozenset({1}), "f": 'a"b\n'}


def say(logger: Any, metrics: Any) -> None:
    logger.info("one", **ODD)
    logger.warning("tw\xf6", message_id="m")
    logger.error('thr"ee\x1b')
    metrics.add_metric(name="X", unit="Count", value=1)
    metrics.add_metric(name="Y", unit="Bytes", value=2)
    metrics.add_metric(name="X", unit="Count", value=0)
    metrics.add_metric(name="Z", unit="Seconds", value=0.25)


def written(said: str) -> list[str]:
    """Lines without the time."""
    said = re.sub(r'"timestamp":"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\+0000"', '"timestamp":""', said)
    return re.sub(r'"Timestamp": ?\d{13}', '"Timestamp":0', said).split("\n")[:-1]


def powertools(times: int, service: str, act: Callable[[Any, Any], None]) -> None:
    logger, metrics = Logger(service=service), Metrics(namespace="N", service=service)
    metrics.clear_metrics()  # all of a process share them, and another test may have left some
    handler = metrics.log_metrics(logger.inject_lambda_context(lambda event, context: act(logger, metrics)))
    for _ in range(times):
        handler({}, CONTEXT)


def ours(times: int, service: str, act: Callable[[Any, Any], None]) -> None:
    logger, metrics = Lines(service), Counts("N", service)
    for _ in range(times):
        with logger.invocation(CONTEXT):
            act(logger, metrics)
        metrics.flush_metrics()


@pytest.mark.parametrize("trace", ["Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1", ""])
def test_a_line_is_powertools_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], trace: str
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", trace)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "f")
    monkeypatch.setattr("aws_lambda_powertools.logging.logger.is_cold_start", True)
    powertools(2, f"lines{trace}", say)
    theirs = written(capsys.readouterr().out)
    ours(2, f"lines{trace}", say)
    assert written(capsys.readouterr().out) == theirs
    assert len(theirs) == 8
    assert [json.loads(line).get("cold_start") for line in theirs] == [*[True] * 3, None, *[False] * 3, None]


@pytest.mark.parametrize("many", ["values", "names"])
def test_a_line_has_no_more_metrics_than_cloudwatch_takes(capsys: pytest.CaptureFixture[str], many: str) -> None:
    def count(_: Any, metrics: Any) -> None:
        for number in range(250):
            metrics.add_metric(name="X" if many == "values" else f"X{number}", unit="Count", value=number)

    powertools(1, many, count)
    theirs = list(map(json.loads, written(capsys.readouterr().out)))  # a full one has blanks
    ours(1, many, count)
    assert list(map(json.loads, written(capsys.readouterr().out))) == theirs
    assert len(theirs) == 3


def test_nothing_counted_is_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    Counts("N", "s").flush_metrics()
    assert capsys.readouterr().out == ""
