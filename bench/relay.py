"""The relay's throughput and memory: `python -m bench.relay`, as root, with Postfix.

The claims: without a limit in SES, 500 messages are accepted and relayed in under 10 s. At SES's 14 messages a second
with answers after 150 ms, 400 messages arrive in 45 s and none is refused; at 1 a second (the sandbox) 100 arrive in
125 s. Two hosts with a burst each leave room for the forwarder: its messages wait less than 5 s. The Postfix is the one
that relay/install sets up; the SES is the tests', on the same processors.
"""

import smtplib
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from tests.relay import certificates, postfix
from tests.relay.postfix import Relay, letter, missing
from tests.relay.ses_smtp import HOST, SesSmtp

MESSAGES = 500
CLIENTS = 4
LATENCY = 0.15  # seconds
TEXT = letter(
    "shop@example.com", "jane@dest.example", body="A line of ordinary length, as in any mail.\n" * 50
).as_bytes()


def main() -> None:
    """Print the figures."""
    if why := missing():
        raise SystemExit(why)
    postfix.SECONDS = 300
    with hosts(1, rate="10000") as (ses, (relay,)):
        measure(relay, ses)
    for rate, messages in ((14, 400), (1, 100)):
        with hosts(1, rate=str(rate)) as (ses, (relay,)):
            ses.state.rate, ses.state.latency = rate, LATENCY
            burst(ses, [relay], messages, f"SES of {rate}/s, one host with --rate {rate}")
    with hosts(2, hosts="2") as (ses, relays):
        ses.state.rate, ses.state.latency = 14, LATENCY
        with Forwarder(ses) as forwarder:
            burst(ses, relays, 100, "SES of 14/s, two hosts with --hosts 2 and the forwarder, each host")
        print(f"  the forwarder: {len(forwarder.waits)} messages, waited at most {max(forwarder.waits):.1f} s")


@contextmanager
def hosts(count: int, **options: str) -> Iterator[tuple[SesSmtp, list[Relay]]]:
    """An SES, and this many hosts that relay/install set up with these options."""
    with tempfile.TemporaryDirectory(prefix="postern-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        authority = certificates.authority()
        ses = SesSmtp(certificates.server(HOST, authority).context(folder, "ses"))
        ses.start()
        stack.callback(ses.stop)
        relays = []
        for number in range(count):
            place = folder / f"host{number}"
            place.mkdir()
            relay = Relay(place, authority.certificate.public_bytes(Encoding.PEM), ses.port, **options)
            stack.callback(relay.close)
            relay.write_credentials("AKIAFIRST:first-password")
            relay.start()
            relays.append(relay)
        yield ses, relays


def burst(ses: SesSmtp, relays: list[Relay], messages: int, name: str) -> None:
    """Send this many messages to each host at once, and measure the time until SES has all."""
    clients = [threading.Thread(target=send, args=(relay.port, messages)) for relay in relays]
    total = messages * len(relays)
    _, relayed = timed(clients, lambda: relays[0].wait_for(lambda: len(ses.state.sent) == total))
    print(f"{name}: {messages} messages in {relayed:.1f} s, {len(ses.state.answered)} refused")


class Forwarder:
    """Sends two messages a second with the same account, and retries one second after a refusal."""

    def __init__(self, ses: SesSmtp) -> None:
        self._ses, self._stop = ses, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.waits: list[float] = []  # seconds, of each message

    def __enter__(self) -> "Forwarder":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.5):
            came = time.monotonic()
            while not self._ses.state.takes(1, time.monotonic()):
                time.sleep(1)
            self.waits.append(time.monotonic() - came)


def measure(relay: Relay, ses: SesSmtp) -> None:
    """Send one message to start everything, then all of them."""
    send(relay.port, 1)
    relay.wait_for(lambda: ses.state.sent)
    print(f"idle: {megabytes(relay):.0f} MB in all of Postfix's processes")
    most = 0.0

    def all_there() -> bool:
        nonlocal most
        most = max(most, megabytes(relay))
        return len(ses.state.sent) == MESSAGES + 1

    clients = [threading.Thread(target=send, args=(relay.port, MESSAGES // CLIENTS)) for _ in range(CLIENTS)]
    accepted, relayed = timed(clients, lambda: relay.wait_for(all_there))
    size = len(ses.state.sent[-1].content)
    print(f"{MESSAGES} messages of {size} octets: accepted in {accepted:.1f} s, relayed in {relayed:.1f} s")
    print(f"at most {most:.0f} MB meanwhile")


def timed(clients: list[threading.Thread], wait: Callable[[], None]) -> tuple[float, float]:
    """The seconds until all messages are accepted, and until all have arrived."""
    start = time.perf_counter()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    accepted = time.perf_counter() - start
    wait()
    return accepted, time.perf_counter() - start


def send(port: int, count: int) -> None:
    """Send this many messages over one connection, to as many recipients."""
    with smtplib.SMTP("127.0.0.1", port, local_hostname="localhost") as client:
        for number in range(count):
            client.sendmail("shop@example.com", f"jane{number}@dest.example", TEXT)


def megabytes(relay: Relay) -> float:
    """The memory of this Postfix's processes in MB; shared memory counts once (PSS)."""
    session, total = str(relay.master_pid), 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            if status.read_text().rpartition(")")[2].split()[3] == session:
                rollup = (status.parent / "smaps_rollup").read_text()
                total += int(rollup.partition("\nPss:")[2].split()[0])
        except (OSError, IndexError):  # it has ended
            continue
    return total / 1024


if __name__ == "__main__":
    main()
