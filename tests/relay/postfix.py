"""A host with relay/install's Postfix: real paths, in a mount namespace of its own.

Over /etc/postfix, its queue, its data, the CA file and /etc/hosts lie folders and files of the tests, so that
Postfix, sendmail(1) and our scripts run as they do on an instance, and the host of the tests keeps what it has.
"""

import os
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import time
from collections.abc import Callable, Collection, Mapping
from email.message import EmailMessage
from pathlib import Path

from tests.builders import ROOT

from .ses_smtp import HOST

INSTALL = ROOT / "relay" / "install"
DOMAIN, OWNER, REGION, SECRET = "example.com", "ops@dest.example", "eu-west-1", "postern-relay"
SECONDS = 20  # for anything to happen; a guard, not a measure
HOW_TO_GET_IT = "apt-get install --no-install-recommends postfix libsasl2-modules, and run the tests as root"
_PACKAGED = ("/usr/sbin", "/sbin", "/usr/local/sbin")
_PLACES = {"config": "/etc/postfix", "queue": "/var/spool/postfix", "data": "/var/lib/postfix"}


def missing() -> str:
    """Why there can be no Postfix here, "" if there can."""
    path = os.pathsep.join((os.environ.get("PATH", ""), *_PACKAGED))
    if any(shutil.which(name, path=path) is None for name in ("postconf", "unshare", "nsenter", "setpriv")):
        return "Postfix or util-linux is not installed"
    if not list(Path("/usr/lib").glob("**/sasl2/libplain.so")):
        return "the SASL mechanisms are not installed"
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode:
        return "only root may have a mount namespace"
    return ""


def install(*arguments: str, **options: str) -> subprocess.CompletedProcess[str]:
    """relay/install, with these options beside or instead of the usual ones."""
    usual = {"domain": DOMAIN, "owner": OWNER, "region": REGION, "credentials": "smtp", "secret": SECRET}
    script = options.pop("script", str(INSTALL))
    chosen = {**usual, **options}
    line = [part for name, value in chosen.items() if value for part in (f"--{name.replace('_', '-')}", value)]
    return subprocess.run([script, *line, *arguments], check=False, capture_output=True, text=True, env=environment())


def environment() -> dict[str, str]:
    return {"PATH": os.pathsep.join((os.environ["PATH"], *_PACKAGED)), "LC_ALL": "C"}


def free_port() -> int:
    with socket.socket() as four, socket.socket(socket.AF_INET6) as six:
        four.bind(("127.0.0.1", 0))
        port: int = four.getsockname()[1]
        six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        six.bind(("::1", port))
        return port


class Relay:
    """One such host. `folder` gets what lies over the real paths."""

    def __init__(self, folder: Path, authority: bytes, ses_port: int, **options: str) -> None:
        self.folder, self.port, self.ses_port = folder, free_port(), ses_port
        self._master: subprocess.Popen[bytes] | None = None
        self.config, self.queue, self.log = folder / "etc" / "postfix", folder / "queue", folder / "queue" / "log"
        shutil.copytree("/etc/postfix", self.config, ignore=shutil.ignore_patterns("main.cf", "sasl_passwd"))
        for name in ("queue", "data"):
            (folder / name).mkdir()
        shutil.chown(folder / "data", "postfix")
        done = install(root=str(folder), smtp_port=str(ses_port), **options)
        assert done.returncode == 0, done.stderr
        self._mount(authority)
        self.rendered = self.run("postconf", "-n")
        self._settle()

    def _mount(self, authority: bytes) -> None:
        (self.folder / "authority.pem").write_bytes(authority)
        (self.folder / "hosts").write_text(f"127.0.0.1 localhost {HOST}\n::1 localhost\n")
        over = {self.config: _PLACES["config"], self.queue: _PLACES["queue"], self.folder / "data": _PLACES["data"]}
        # No one answers there, at once: what is not in /etc/hosts does not exist.
        (self.folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        over |= {self.folder / "hosts": "/etc/hosts"}
        over |= {self.folder / "resolv.conf": os.path.realpath("/etc/resolv.conf")}
        for path in re.findall(r"^smtp_tls_CAfile = (.*)$", (self.config / "main.cf").read_text(), re.MULTILINE):
            over[self.folder / "authority.pem"] = os.path.realpath(path)
        mounts = "".join(f"mount --bind {new} {old} && " for new, old in over.items())
        holder = ["unshare", "--mount", "--propagation", "private", "sh", "-c", f"{mounts} echo ready && exec cat"]
        self._holder = subprocess.Popen(holder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment())
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"ready\n"

    def _settle(self) -> None:
        """What tests need otherwise: another port than 25, names from /etc/hosts, a log in a file."""
        settings = ["smtp_host_lookup=native", f"maillog_file={_PLACES['queue']}/log"]
        self.run("postconf", "-e", *settings)
        self.run("postconf", "-MX", "smtp/inet")
        self.run("postconf", "-Me", f"{self.port}/inet={self.port} inet n - n - - smtpd")

    def run(self, *line: str, text: str = "", more: Mapping[str, str] | None = None, status: int | None = 0) -> str:
        """What a command on this host prints; with another exit status than this one it fails."""
        inside = ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt", *line]
        done = subprocess.run(
            inside, check=False, capture_output=True, text=True, input=text, env={**environment(), **(more or {})}
        )
        assert status is None or done.returncode == status, (line, done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def start(self) -> None:
        """Returns when it takes mail."""
        self.run("postfix", "check")
        master = self.run("postconf", "-xh", "daemon_directory").strip() + "/master"
        # Tests that are killed cannot stop it: the kernel does.
        inside = ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt", "setpriv", "--pdeathsig", "TERM"]
        self._master = subprocess.Popen(
            [*inside, master, "-d"],
            stdin=subprocess.DEVNULL,
            env=environment(),
            start_new_session=True,
        )
        self.wait_for(lambda: self.log.exists() and "daemon started" in self.said())

    @property
    def master_pid(self) -> int:
        assert self._master is not None
        return self._master.pid

    def stop(self) -> None:
        """End Postfix, and by force what is left of its session."""
        if self._master is not None:
            self._master.terminate()
            try:
                self._master.wait(SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._master.pid, signal.SIGKILL)
                self._master.wait(SECONDS)
            self._master = None

    def close(self) -> None:
        """No more host."""
        self.stop()
        self._holder.communicate()

    def reset(self, credentials: str = "AKIAFIRST:first-password") -> None:
        """Empty queue, good credentials, an empty log, and SES is not known to be away."""
        self.run("postsuper", "-d", "ALL")
        if self.write_credentials(credentials):
            self.run("postfix", "reload")
        self.run("postqueue", "-f")
        self.log.write_bytes(b"")

    def write_credentials(self, credentials: str) -> bool:
        """False if they were there."""
        path, line = self.config / "sasl_passwd", f"[{HOST}]:{self.ses_port} {credentials}\n"
        if path.exists() and path.read_text() == line:
            return False
        path.write_text(line)
        path.chmod(0o600)
        return True

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < end, self.said()[-6000:]
            assert self._master is None or self._master.poll() is None, self.said()[-6000:]
            time.sleep(0.02)

    def wait_for_log(self, pattern: str) -> None:
        self.wait_for(lambda: re.search(pattern, self.said()))

    def queued(self) -> Collection[str]:
        """The ids of all messages in the queue."""
        return [line for line in self.run("postqueue", "-j").splitlines() if line.startswith("{")]

    def kept(self) -> list[str]:
        """The ids of what is on hold: reports that could not be delivered."""
        return [one for one in self.run("postqueue", "-p").split() if one.endswith("!")]

    def empty(self) -> None:
        """Have the queue tried until nothing is left of it: mail in flight may still meet what was before."""
        end = time.monotonic() + SECONDS
        while self.queued():
            assert time.monotonic() < end, self.said()[-6000:]
            self.run("postqueue", "-f")
            time.sleep(0.5)

    def submit(self, sender: str, *recipients: str, text: str = "") -> None:
        """Over SMTP, as a program on this host does. Raises smtplib's exceptions."""
        with smtplib.SMTP("127.0.0.1", self.port, local_hostname="localhost", timeout=SECONDS) as client:
            client.sendmail(sender, recipients, text or letter(sender, *recipients).as_bytes())

    def sendmail(self, *arguments: str, text: str) -> None:
        """sendmail(1), as cron uses it."""
        self.run("sendmail", *arguments, text=text)


def letter(sender: str, *recipients: str, body: str = "Hello\n") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, ", ".join(recipients), "Hello"
    message.set_content(body)
    return message
