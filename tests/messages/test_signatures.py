"""Signatures over the body hold after forwarding: DKIM's body hash, S/MIME, OpenPGP."""

import base64
import re
import shutil
import subprocess
from pathlib import Path

import dkim
import pytest
from dkim.canonicalization import CanonicalizationPolicy
from postern_mail.mail.address import Address
from postern_mail.mail.rewrite import rewrite

from emulator.demo.letters import plain, signed
from emulator.receiving.zone import Zone
from tests.builders import envelope
from tests.messages.forwarding import FOLDER, forwarded

TEXT = b"Content-Type: text/plain; charset=utf-8\r\n\r\nFriday at noon?  \r\n-- \r\nBetsy\r\n"
FROM = b"From: Betsy <betsy@sender.example>\r\nTo: info@example.com\r\nSubject: hi\r\nMIME-Version: 1.0\r\n"


def forward(raw: bytes) -> bytes:
    return rewrite(raw, Address("info", "example.com"), envelope())


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install {'gnupg' if name == 'gpg' else name}")
    return found


def test_the_body_hash_of_dkim_still_matches() -> None:
    raw = signed(plain(), Zone())
    after = forward(raw)
    assert b"DKIM-Signature" not in after
    said = re.search(rb"bh=([A-Za-z0-9+/=\s]+);", raw)
    assert said is not None
    canonical = CanonicalizationPolicy.from_c_value(b"relaxed/simple").canonicalize_body(
        after.partition(b"\r\n\r\n")[2]
    )
    assert base64.b64encode(dkim.HASH_ALGORITHMS[b"rsa-sha256"](canonical).digest()) == b"".join(said[1].split())


def test_an_smime_signature_still_verifies(tmp_path: Path) -> None:
    openssl = tool("openssl")
    key, certificate, part, whole = (tmp_path / name for name in ("key.pem", "cert.pem", "part", "whole"))

    def run(*arguments: str | Path) -> None:
        subprocess.run([openssl, *arguments], check=True, capture_output=True)

    request = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=betsy", "-days", "1")
    run(*request, "-keyout", key, "-out", certificate)
    part.write_bytes(TEXT)
    run("smime", "-sign", "-binary", "-crlfeol", "-in", part, "-signer", certificate, "-inkey", key, "-out", whole)
    content = whole.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").partition(b"MIME-Version: 1.0\r\n")[2]
    for raw in (FROM + content, forward(FROM + content)):
        whole.write_bytes(raw)
        run("smime", "-verify", "-noverify", "-in", whole, "-out", tmp_path / "out")
    whole.write_bytes(forward(FROM + content).replace(b"noon", b"moon"))
    with pytest.raises(subprocess.CalledProcessError):
        run("smime", "-verify", "-noverify", "-in", whole, "-out", tmp_path / "out")


def test_the_smime_message_of_the_families_still_verifies(tmp_path: Path) -> None:
    """Its key was thrown away; the certificate is in the signature."""
    openssl = tool("openssl")
    (family,) = FOLDER.glob("*-smime")
    path = tmp_path / "whole"

    def verify(raw: bytes) -> None:
        path.write_bytes(raw)
        arguments = ("smime", "-verify", "-noverify", "-in", path, "-out", tmp_path / "out")
        subprocess.run([openssl, *arguments], check=True, capture_output=True)

    for raw in ((family / "in.eml").read_bytes(), forwarded(family)):
        verify(raw)
        with pytest.raises(subprocess.CalledProcessError):
            verify(raw.replace(b"\r\n\r\n\r\n", b"\r\n\r\n"))


def test_an_openpgp_signature_still_verifies(tmp_path: Path) -> None:
    gpg = tool("gpg")
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    part, signature = tmp_path / "part", tmp_path / "part.asc"

    def run(*arguments: str | Path) -> None:
        subprocess.run([gpg, "--homedir", home, "--batch", "--yes", *arguments], check=True, capture_output=True)

    run("--passphrase", "", "--quick-gen-key", "betsy@sender.example", "rsa2048", "sign", "1d")
    part.write_bytes(TEXT)
    run("--armor", "--output", signature, "--detach-sign", part)
    header = b'Content-Type: multipart/signed; protocol="application/pgp-signature"; boundary=s\r\n\r\n'
    armoured = signature.read_bytes().replace(b"\n", b"\r\n")
    raw = (
        FROM
        + header
        + b"--s\r\n"
        + TEXT
        + b"\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\n"
        + armoured
        + b"--s--\r\n"
    )
    _, first, second, _ = forward(raw).split(b"--s")
    part.write_bytes(first.removeprefix(b"\r\n").removesuffix(b"\r\n"))
    signature.write_bytes(second.partition(b"\r\n\r\n")[2])
    run("--verify", signature, part)
    part.write_bytes(part.read_bytes().replace(b"noon", b"moon"))
    with pytest.raises(subprocess.CalledProcessError):
        run("--verify", signature, part)
    subprocess.run([tool("gpgconf"), "--homedir", home, "--kill", "gpg-agent"], check=True)
