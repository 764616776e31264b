"""--guard-metadata in a network namespace: who gets the credentials of the instance's role, and who does not."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import demand
from .postfix import install

pytestmark = pytest.mark.slow
FOUR, SIX = "169.254.169.254", "fd00:ec2::254"
SERVICE = """
import http.server, socket, sys, threading
class Six(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
for kind, address in ((http.server.ThreadingHTTPServer, "169.254.169.254"), (Six, "fd00:ec2::254")):
    for port in (80, 81):
        server = kind((address, port), http.server.SimpleHTTPRequestHandler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
"""
ASK = (
    "import http.client, sys\n"
    "connection = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=5)\n"
    "connection.request('GET', '/')\nprint(connection.getresponse().status)\n"
)
ROOT_USER, AGENT, NOBODY, WEB = 0, 65534, 65533, 33


@pytest.fixture(scope="module")
def guarded(postfix_is_here: None, folder: Path) -> Iterator[int]:
    """The process that holds a namespace with both addresses and install's rules."""
    demand("" if shutil.which("nft", path="/usr/sbin:/sbin") else "nftables is not installed")
    place = folder / "guarded"
    place.mkdir()
    done = install("--guard-metadata", root=str(place), credentials="api", secret="")
    assert done.returncode == 0, done.stderr
    rules = place / "etc" / "postern" / "guard.nft"
    made = " && ".join(
        ("ip link set lo up", f"ip addr add {FOUR}/32 dev lo", f"ip addr add {SIX}/128 dev lo nodad",
         f"/usr/sbin/nft -f {rules}", f"/usr/sbin/nft -f {rules}", f"cd {place}")
    )  # fmt: skip
    line = ["unshare", "--net", "sh", "-c", f'{made} && exec {sys.executable} -c "$0"', SERVICE]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"ready\n"
        yield holder.pid
        holder.communicate()


def asked(guarded: int, user: int, address: str, port: int = 80) -> bool:
    """Whether that user gets an answer."""
    inside = ["nsenter", f"--net=/proc/{guarded}/ns/net", "setpriv", f"--reuid={user}", "--clear-groups"]
    done = subprocess.run(
        [*inside, "/usr/bin/python3", "-I", "-c", ASK, address, str(port)], check=False, capture_output=True, text=True
    )
    assert done.stdout in ("200\n", ""), done
    return done.stdout == "200\n"


@pytest.mark.parametrize("address", [FOUR, SIX])
@pytest.mark.parametrize(("user", "may"), [(ROOT_USER, True), (AGENT, True), (NOBODY, False), (WEB, False)])
def test_only_root_and_the_relays_user_reach_the_metadata_service(
    guarded: int, address: str, user: int, may: bool
) -> None:
    """root is also the SSM agent and cfn-init. Other ports of the address are not the relay's business."""
    assert asked(guarded, user, address) == may
    assert asked(guarded, user, address, 81)


def test_what_is_forwarded_does_not_reach_it(guarded: int, folder: Path) -> None:
    """A container asks by the host's forwarding, whatever user it is."""
    rules = (folder / "guarded" / "etc" / "postern" / "guard.nft").read_text()
    forward = rules.partition("chain forward")[2]
    for address in (f"ip daddr {FOUR}", f"ip6 daddr {SIX}"):
        assert f"{address} tcp dport 80 reject" in forward
    pid = f"/proc/{guarded}/ns/net"
    commands = (
        "ip link add c0 type veth peer name c1 && ip addr add 10.9.0.1/24 dev c0 && ip link set c0 up && "
        "echo 1 > /proc/sys/net/ipv4/ip_forward && ip link add d0 type veth peer name d1 && "
        "ip addr add 10.8.0.1/24 dev d0 && ip link set d0 up && ip link set d1 up && "
        f"ip addr del {FOUR}/32 dev lo && ip route add {FOUR}/32 via 10.8.0.2 dev d0 && "
        "ip neigh add 10.8.0.2 lladdr 02:00:00:00:00:01 dev d0"
    )
    subprocess.run(["nsenter", f"--net={pid}", "sh", "-c", commands], check=True)
    inside = (
        "ip link set lo up && ip link set c1 up && ip addr add 10.9.0.2/24 dev c1 && "
        f'ip route add default via 10.9.0.1 && exec /usr/bin/python3 -I -c "$0" {FOUR} 80'
    )
    with subprocess.Popen(["unshare", "--net", "sh", "-c", "echo ready && read go && eval \"$0\" ", "true"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as container:  # fmt: skip
        assert container.stdout is not None
        assert container.stdout.readline() == b"ready\n"
        move = ["nsenter", f"--net={pid}", "ip", "link", "set", "c1", "netns", str(container.pid)]
        subprocess.run(move, check=True)
        done = subprocess.run(
            ["nsenter", f"--net=/proc/{container.pid}/ns/net", "sh", "-c", inside, ASK],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        container.communicate(b"\n")
    assert "ConnectionRefusedError" in done.stderr, done.stderr


def test_without_it_there_is_no_rule_and_turning_it_off_takes_it_away(tmp_path: Path) -> None:
    for options, there in (((), False), (("--guard-metadata",), True), ((), False)):
        assert install(*options, root=str(tmp_path)).returncode == 0
        assert (tmp_path / "etc" / "postern" / "guard.nft").exists() == there
        assert (tmp_path / "etc" / "systemd" / "system" / "postern-guard.service").exists() == there


def test_by_smtp_root_alone_needs_it(tmp_path: Path) -> None:
    assert install("--guard-metadata", root=str(tmp_path)).returncode == 0
    assert "skuid != { 0 }" in (tmp_path / "etc" / "postern" / "guard.nft").read_text()
