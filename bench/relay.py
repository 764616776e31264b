"""What the relay does in a second, and the memory it takes: `python -m bench.relay`, as root, with Postfix.

The claim: 500 messages are accepted and relayed in under 10 s. The Postfix is the one that relay/install makes;
the SES is that of the tests, TLS and log-in for each connection, on the same processors.
"""

import smtplib
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from tests.relay import certificates
from tests.relay.postfix import Relay, letter, missing
from tests.relay.ses_smtp import HOST, SesSmtp

MESSAGES = 500
CLIENTS = 4
TEXT = letter(
    "shop@example.com", "jane@dest.example", body="A line of ordinary length, as in any mail.\n" * 50
).as_bytes()


def main() -> None:
    """Print the figures."""
    if why := missing():
        raise SystemExit(why)
    with tempfile.TemporaryDirectory(prefix="postern-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        authority = certificates.authority()
        ses = SesSmtp(certificates.server(HOST, authority).context(folder, "ses"))
        ses.start()
        (folder / "host").mkdir()
        relay = Relay(folder / "host", authority.certificate.public_bytes(Encoding.PEM), ses.port)
        try:
            relay.write_credentials("AKIAFIRST:first-password")
            relay.start()
            measure(relay, ses)
        finally:
            relay.close()
            ses.stop()


def measure(relay: Relay, ses: SesSmtp) -> None:
    """One message to have everything started, then all of them."""
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
    """Seconds until all is accepted, and until all has arrived."""
    start = time.perf_counter()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    accepted = time.perf_counter() - start
    wait()
    return accepted, time.perf_counter() - start


def send(port: int, count: int) -> None:
    """So many messages over one connection."""
    with smtplib.SMTP("127.0.0.1", port, local_hostname="localhost") as client:
        for _ in range(count):
            client.sendmail("shop@example.com", "jane@dest.example", TEXT)


def megabytes(relay: Relay) -> float:
    """Memory of the processes of this Postfix; what several share is counted once (PSS)."""
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
