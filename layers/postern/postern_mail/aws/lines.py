"""Writes log lines and metrics (EMF) as Powertools does, for the function that must start fast.

Powertools imports a hundred modules, 40 ms of each cold start. A test compares the lines with Powertools' own.
"""

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# docs.aws.amazon.com/AmazonCloudWatch, "Embedded metric format specification": metrics in a line, and values of a
# metric.
_MOST = 100


class Lines:
    """Writes each message as a JSON line."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._context: dict[str, Any] = {}
        self._started = False

    @contextmanager
    def invocation(self, context: Any) -> Iterator[None]:
        """Add the invocation to every line written meanwhile."""
        self._context = {
            "cold_start": not self._started,
            "function_name": context.function_name,
            "function_memory_size": context.memory_limit_in_mb,
            "function_arn": context.invoked_function_arn,
            "function_request_id": context.aws_request_id,
        }
        self._started = True
        yield

    def info(self, message: str, **more: Any) -> None:
        """Log an event."""
        self._write("INFO", message, more)

    def warning(self, message: str, **more: Any) -> None:
        """Log that something is wrong."""
        self._write("WARNING", message, more)

    def error(self, message: str, **more: Any) -> None:
        """Log that someone must act."""
        self._write("ERROR", message, more)

    def _write(self, level: str, message: str, more: dict[str, Any]) -> None:
        caller, now = sys._getframe(2), time.time()  # as logging does
        trace = re.search(r"Root=([^;]+)", os.environ.get("_X_AMZN_TRACE_ID", ""))
        line = {
            "level": level,
            "location": f"{caller.f_code.co_name}:{caller.f_lineno}",
            "message": message,
            "timestamp": time.strftime(f"%Y-%m-%d %H:%M:%S,{int(now % 1 * 1000):03}%z", time.localtime(now)),
            "service": self._service,
            **self._context,
            **more,
            "xray_trace_id": trace and trace[1],
        }
        _print({name: value for name, value in line.items() if value is not None})


class Counts:
    """Metrics, with the name of the stack as their dimension `service`."""

    def __init__(self, namespace: str, service: str) -> None:
        self._namespace = namespace
        self._service = service
        self._found: dict[str, tuple[str, list[float]]] = {}

    def add_metric(self, name: str, unit: str, value: float) -> None:
        """Add a value; it is written by `flush_metrics`, or when a line is full."""
        values = self._found.setdefault(name, (unit, []))[1]
        values.append(float(value))
        if _MOST in (len(values), len(self._found)):
            self.flush_metrics()

    def flush_metrics(self) -> None:
        """Write the added values as one line."""
        if not self._found:
            return
        metrics = [{"Name": name, "Unit": unit} for name, (unit, _) in self._found.items()]
        about = {"Namespace": self._namespace, "Dimensions": [["service"]], "Metrics": metrics}
        values = {name: values for name, (_, values) in self._found.items()}
        now = int(time.time() * 1000)
        _print({"_aws": {"Timestamp": now, "CloudWatchMetrics": [about]}, "service": self._service, **values})
        self._found = {}


def _print(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line, default=str, separators=(",", ":"), ensure_ascii=False) + "\n")
    sys.stdout.flush()
