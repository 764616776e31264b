"""What a message costs compared with five calls of bare boto3: `python -m bench.messages [PYTHON]`.

Pairs of processes, one of each kind, take turns against the benchmark's own AWS (fake_aws). Figures are medians; only
ratios within one run count. It prints a table and the goals with pass or FAIL, and writes build/bench.json. The
packages are laid out as deployed, with byte code.
"""

import http.client
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from .certificate import make_certificate

ROOT = Path(__file__).parent.parent
KINDS = "postern", "boto3"
INFO = ["info@example.com"]
COLD, WARM, LARGE = 9, 3, 2  # pairs of processes
PRICE = {"GB second": 0.0000133334, "invocation": 0.0000002}  # USD, arm64, us-east-1, November 2026
A_CORE = 1769  # MB of memory for which Lambda gives one full vCPU (docs.aws.amazon.com/lambda, "Configure memory")

_COMPILE = """\
import compileall, py_compile, sys
checked = py_compile.PycInvalidationMode.CHECKED_HASH
compileall.compile_dir(sys.argv[1], quiet=2, invalidation_mode=checked)
"""
_VERSIONS = (
    "import boto3, platform; print(boto3.__path__[0], platform.python_version(), boto3.__version__, sep=chr(10))"
)

Found = dict[str, Any]


class Goal(NamedTuple):
    """A figure and its maximum."""

    name: str
    value: float
    most: float

    def __str__(self) -> str:
        return (
            f"{'pass' if self.value <= self.most else 'FAIL'}  {self.value:9.2f}  at most {self.most:7.2f}  {self.name}"
        )


class Bench:
    """One interpreter, with the packages as deployed."""

    def __init__(self, python: str, folder: Path) -> None:
        self._python = python
        self._folder = folder
        shutil.copytree(
            ROOT / "layers/postern/postern_mail",
            folder / "opt/postern_mail",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        shutil.copy(ROOT / "functions/inbound/handler.py", folder / "opt")
        subprocess.run([python, "-c", _COMPILE, str(folder / "opt")], check=True)  # noqa: S603 (the one that was given)
        said = subprocess.run([python, "-c", _VERSIONS], check=True, capture_output=True, text=True).stdout.split()  # noqa: S603
        self._packages, self.python_version, self.boto3_version = str(Path(said[0]).parent), said[1], said[2]
        self.bundle = make_certificate(folder, Path(self._packages) / "botocore/cacert.pem")

    @contextmanager
    def aws(self, pause: float, *, tls: bool = False) -> Iterator[int]:
        """The port of an AWS that answers after this many seconds."""
        certificate = [str(self._folder / "server.pem")] if tls else []
        command = [sys.executable, "-m", "bench.fake_aws", str(pause), *certificate]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(10)

    def run(self, kind: str, port: int, plan: list[Any], *, tls: bool = False) -> Found:
        """The measurements of one process; `start` is the seconds from its start to the end of the first message."""
        results = self._folder / "results.json"
        environment = {
            "PATH": os.environ["PATH"], "PYTHONPATH": f"{self._folder / 'opt'}:{self._packages}", "PYTHONHASHSEED": "0",
            "AWS_ENDPOINT_URL": f"{'https' if tls else 'http'}://127.0.0.1:{port}", "AWS_CA_BUNDLE": str(self.bundle),
            "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_SESSION_TOKEN": "x" * 400,
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1", "PYTHONDONTWRITEBYTECODE": "1", **VARIABLES,
        }  # fmt: skip
        command = [self._python, "-S", str(ROOT / "bench/one_process.py"), kind, str(results), json.dumps(plan)]
        begun = time.monotonic()
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, timeout=300)  # noqa: S603
        found: Found = json.loads(results.read_text(encoding="ascii"))
        return found | {"start": found["done"]["at"] - begun}


VARIABLES = {
    f"POSTERN_{name}": value
    for name, value in {
        "DOMAINS": "example.com", "MAIL_BUCKET": "bucket", "ALIAS_TABLE": "aliases", "SENDER_TABLE": "senders",
        "DESTINATION_TABLE": "destinations", "LEDGER_TABLE": "ledger", "CONFIGURATION_SET": "forward",
        "RETRY_QUEUE": "https://sqs.example/retry", "LEASE_SECONDS": "150",
        "LEDGER_DAYS": "37",
    }.items()
}  # fmt: skip


def pairs(bench: Bench, port: int, plan: list[Any], times: int, *, tls: bool = False) -> dict[str, list[Found]]:
    """The results of this many processes of each kind, which take turns."""
    found: dict[str, list[Found]] = {kind: [] for kind in KINDS}
    for number in range(times):
        for kind in KINDS if number % 2 else reversed(KINDS):
            found[kind].append(bench.run(kind, port, plan, tls=tls))
    return found


def calls(port: int) -> list[Any]:
    """The calls since the last request."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/calls")
    made: list[Any] = json.loads(connection.getresponse().read())
    connection.close()
    return made


def rounds(made: list[Any]) -> int:
    """The length of the longest chain of calls in which each began after the previous one had ended."""
    chain, end = 0, 0.0
    for _, begun, ended in sorted(made, key=lambda one: one[2]):
        if begun >= end:
            chain, end = chain + 1, ended
    return chain


def counted(bench: Bench) -> dict[str, tuple[int, int]]:
    """(calls, rounds) of a message in a warm process, by how many recipients and destinations it has."""
    found = {}
    cases = {"1 destination": INFO, "10 destinations": ["many-10@example.com"], "100 recipients": crowd(100)}
    with bench.aws(0.005) as port:
        for name, recipients in cases.items():
            bench.run("postern", port, [])
            first = len(calls(port))
            bench.run("postern", port, [[name, 3_000, recipients, 1]])
            made = calls(port)[first:]
            found[name] = len(made), rounds(made)
    return found


def crowd(number: int) -> list[str]:
    """This many recipients."""
    return [f"r{one}@example.com" for one in range(number)]


def of(found: list[Found], name: str, what: str) -> float:
    """The median over processes of their medians."""
    return float(median(median(one[name][what]) if what != "memory" else one[name][what] for one in found))


def measured(bench: Bench) -> dict[str, dict[str, float]]:
    """Figures in ms and MB, by what they are and by kind."""
    figures: dict[str, dict[str, float]] = {}

    def add(name: str, each: dict[str, float]) -> None:
        figures[name] = {kind: round(value, 3) for kind, value in each.items()}
        print(
            f"{name:34}" + "".join(f"{each[kind]:12.1f}" for kind in KINDS) + f"{each['postern'] / each['boto3']:9.2f}",
            flush=True,
        )

    print(f"{'':34}{KINDS[0]:>12}{KINDS[1]:>12}    ratio")
    for name, tls in (("", False), (", TLS", True)):
        with bench.aws(0, tls=tls) as port:
            found = pairs(bench, port, [], COLD, tls=tls)
            add(
                f"cold{name}: ms of CPU",
                {kind: median(one["done"]["cpu"] for one in runs) * 1e3 for kind, runs in found.items()},
            )
            add(f"cold{name}: ms", {kind: median(one["start"] for one in runs) * 1e3 for kind, runs in found.items()})
    modules = {kind: float(runs[0]["done"]["modules"]) for kind, runs in found.items()}
    add("modules", modules)
    with bench.aws(0) as port:
        plan = [["warm up", 3_000, INFO, 20], *([name, size, INFO, times] for name, size, times in SIZES)]
        found = pairs(bench, port, plan, WARM)
        for name, _, _ in SIZES:
            add(f"{name}: ms of CPU", {kind: of(runs, name, "cpu") * 1e3 for kind, runs in found.items()})
        for name, size in (("30 MB", 30), ("39 MB", 39)):
            found = pairs(bench, port, [["large", size * 1_000_000, INFO, 3]], LARGE)
            add(f"{name}: ms of CPU", {kind: of(runs, "large", "cpu") * 1e3 for kind, runs in found.items()})
            add(f"{name}: MB of memory", {kind: of(runs, "large", "memory") for kind, runs in found.items()})
    with bench.aws(0.005) as port:
        found = pairs(bench, port, [["3 kB", 3_000, INFO, 60]], WARM)
        add("3 kB, 5 ms a call: ms", {kind: of(runs, "3 kB", "wall") * 1e3 for kind, runs in found.items()})
    return figures


SIZES = (("3 kB", 3_000, 150), ("50 kB", 50_000, 60), ("1 MB", 1_000_000, 20))


def growth(bench: Bench) -> dict[str, float]:
    """Milliseconds of CPU of a message, by how many destinations and recipients it has."""
    many = {f"{number} destinations": [f"many-{number}@example.com"] for number in (1, 10, 50)}
    many |= {f"{number} recipients": crowd(number) for number in (10, 100)}
    with bench.aws(0) as port:
        plan = [["warm up", 3_000, INFO, 20], *([name, 3_000, recipients, 7] for name, recipients in many.items())]
        runs = [bench.run("postern", port, plan) for _ in range(WARM)]
    return {name: round(of(runs, name, "cpu") * 1e3, 2) for name in many}


def goals(
    figures: dict[str, dict[str, float]], grown: dict[str, float], asked: dict[str, tuple[int, int]]
) -> list[Goal]:
    """The goals; ratios are to bare boto3."""

    def ratio(name: str) -> float:
        return figures[name]["postern"] / figures[name]["boto3"]

    return [
        Goal("cold start with TLS, CPU: ratio", ratio("cold, TLS: ms of CPU"), 0.33),
        Goal("cold start with TLS, time: ratio", ratio("cold, TLS: ms"), 0.33),
        Goal("3 kB, CPU: ratio", ratio("3 kB: ms of CPU"), 0.6),
        Goal("30 MB, CPU: ratio", ratio("30 MB: ms of CPU"), 0.5),
        Goal("30 MB, memory: ratio", ratio("30 MB: MB of memory"), 0.35),
        Goal("30 MB, memory: MB", figures["30 MB: MB of memory"]["postern"], 70),
        Goal("39 MB, memory: MB", figures["39 MB: MB of memory"]["postern"], 80),
        Goal("3 kB at 5 ms a call, time: ratio", ratio("3 kB, 5 ms a call: ms"), 22 / 37),
        Goal("3 kB at 5 ms a call: ms", figures["3 kB, 5 ms a call: ms"]["postern"], 22),
        Goal("50 destinations against 10, CPU", grown["50 destinations"] / grown["10 destinations"], 6),
        Goal("100 recipients against 10, CPU", grown["100 recipients"] / grown["10 recipients"], 12),
        Goal("1 destination: calls", asked["1 destination"][0], 6),
        Goal("1 destination: rounds", asked["1 destination"][1], 3),
        Goal("10 destinations: calls", asked["10 destinations"][0], 25),
        Goal("100 recipients: calls", asked["100 recipients"][0], 150),
    ]


def by_memory(figures: dict[str, dict[str, float]], waits: int) -> list[str]:
    """The time and cost of a message by the function's memory, which determines its CPU share; a call takes 5 ms."""
    lines = ["memory MB   cold ms   3 kB ms   1 MB ms  30 MB ms   USD per 1,000 messages: 3 kB      1 MB     30 MB"]
    for memory in (128, 256, 512, 1024):
        share = min(1.0, memory / A_CORE)
        times = [figures[f"{size}: ms of CPU"]["postern"] / share + 5 * waits for size in ("3 kB", "1 MB", "30 MB")]
        costs = [1_000 * (one / 1e3 * memory / 1024 * PRICE["GB second"] + PRICE["invocation"]) for one in times]
        cold = figures["cold, TLS: ms of CPU"]["postern"] / share
        lines.append(
            f"{memory:9}{cold:10.0f}"
            + "".join(f"{one:10.0f}" for one in times)
            + " " * 29
            + "".join(f"{one:10.5f}" for one in costs)
        )
    return lines


def main(python: str = sys.executable) -> int:
    """Print the figures; 1 if a goal is missed."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(python, Path(folder))
        machine = f"{os.cpu_count()} x {platform.machine()}, load {os.getloadavg()[0]:.1f}"
        where = f"Python {bench.python_version}, boto3 {bench.boto3_version}, {machine}"
        print(where)
        figures, grown, asked = measured(bench), growth(bench), counted(bench)
    print("\nms of CPU: " + ", ".join(f"{name} {value}" for name, value in grown.items()))
    print("calls (rounds): " + ", ".join(f"{name} {made} ({waits})" for name, (made, waits) in asked.items()) + "\n")
    print("\n".join(by_memory(figures, asked["1 destination"][1])) + "\n")
    reached = goals(figures, grown, asked)
    print("\n".join(map(str, reached)))
    (ROOT / "build").mkdir(exist_ok=True)
    written = {
        "machine": where,
        "figures": figures,
        "growth": grown,
        "calls": asked,
        "goals": [one._asdict() for one in reached],
    }
    (ROOT / "build/bench.json").write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    return int(any(one.value > one.most for one in reached))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
