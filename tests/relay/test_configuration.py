"""What install renders is what Postfix reads, and no one but this host can talk to it."""

import re
import socket
import subprocess
from pathlib import Path

import pytest

from .postfix import Relay, install


def settings(text: str) -> dict[str, str]:
    """name = value of each logical line of a main.cf."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = re.sub(r"\n[ \t]+", " ", "\n".join(lines))
    pairs = (line.partition("=") for line in joined.splitlines() if line.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}


def test_postconf_reads_what_was_rendered(relay: Relay, tmp_path: Path) -> None:
    """Each setting is known, and none is lost or doubled."""
    done = install(root=str(tmp_path), smtp_port=str(relay.ses_port), configuration_set="postern")
    assert done.returncode == 0, done.stderr
    rendered = (tmp_path / "etc" / "postfix" / "main.cf").read_text()
    assert settings(relay.rendered) == settings(rendered)
    assert "warning:" not in relay.rendered


def test_every_setting_has_its_reason(tmp_path: Path) -> None:
    """Above each setting, or above the group it belongs to, there is a line of prose."""
    install(root=str(tmp_path))
    for group in (tmp_path / "etc" / "postfix" / "main.cf").read_text().split("\n\n")[1:]:
        assert group.startswith(("#", "compatibility_level")), group


def test_postfix_check_has_nothing_to_say(relay: Relay) -> None:
    assert relay.run("postfix", "check") == ""


def test_there_is_no_database(relay: Relay) -> None:
    assert set(re.findall(r"\b([a-z]+):[$/{]", relay.rendered)) == {"regexp", "inline", "texthash"}


def test_it_listens_on_this_host_only(relay: Relay) -> None:
    """Asked of the kernel: who listens, by the processes of our master."""
    listening = subprocess.run(["ss", "-Hltnp"], check=True, capture_output=True, text=True).stdout
    ours = [line.split()[3] for line in listening.splitlines() if f'"master",pid={relay.master_pid},' in line]
    assert sorted(ours) == sorted([f"127.0.0.1:{relay.port}", f"[::1]:{relay.port}"])
    for address in addresses_of_this_machine():
        with pytest.raises(ConnectionRefusedError), socket.create_connection((address, relay.port), timeout=5):
            pass


def addresses_of_this_machine() -> list[str]:
    said = subprocess.run(["ip", "-4", "-o", "addr"], check=True, capture_output=True, text=True).stdout
    return [address for address in re.findall(r"inet ([0-9.]+)/", said) if not address.startswith("127.")]
