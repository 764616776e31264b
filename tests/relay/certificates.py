"""A certificate authority of the tests' own, and the certificates of a good server and of bad ones."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Identity:
    """A key and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def pem(self) -> bytes:
        key = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return key + self.certificate.public_bytes(serialization.Encoding.PEM)

    def context(self, folder: Path, name: str) -> ssl.SSLContext:
        """What a server with this certificate needs."""
        path = folder / f"{name}.pem"
        path.write_bytes(self.pem())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def authority(name: str = "authority of the tests") -> Identity:
    return _identity(name, None, [], 365 * _DAY)


def server(name: str, issuer: Identity | None, lifetime: timedelta = 365 * _DAY) -> Identity:
    """Signed by `issuer`, by itself if there is none; a negative lifetime is over."""
    return _identity(name, issuer, [name], lifetime)


def _identity(name: str, issuer: Identity | None, hosts: list[str], lifetime: timedelta) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    end = datetime.now(UTC) + lifetime
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(end, datetime.now(UTC)) - 2 * _DAY)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=not hosts, path_length=None), critical=True)
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), False)
    signed_by = issuer.key if issuer else key
    return Identity(key, builder.sign(signed_by, hashes.SHA256()))
