"""AWS calls of the relay's programs: with this instance's role, and the standard library only.

Python 3.9 and newer: no SDK is packaged by all distributions, loading one would take longer than the call, and only
newer versions of curl can sign requests. Secrets are never printed or passed to another program.

The address of a service comes from the environment variable that the AWS SDKs use, else from /etc/postern/endpoints
(lines `sesv2=https://...`, `secretsmanager=`, `monitoring=`, `metadata=`; docs/relay.md), else it is the usual name
and then, since that has no IPv6, the dual-stack name.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import time
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

CONNECTING, ANSWERING = 10, 60  # seconds, for a connection and between two bytes
METADATA_TIMEOUT = 2  # seconds; it is next door, or not there
FILE = os.environ.get("POSTERN_RELAY_ENDPOINTS", "/etc/postern/endpoints")
METADATA = ["http://169.254.169.254", "http://[fd00:ec2::254]"]  # a host without IPv4 has only the second
VARIABLES = {
    "metadata": "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "sesv2": "AWS_ENDPOINT_URL_SESV2",
    "secretsmanager": "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "monitoring": "AWS_ENDPOINT_URL_CLOUDWATCH",
}
HOSTS = {"sesv2": "email"}  # the others have the name of their service
SIGNED_AS = {"sesv2": "ses"}


class NoAnswer(Exception):
    """There is no answer, or it is not from an AWS service; the text names the service but no secret."""


class NoConnection(NoAnswer):
    """The connection failed before anything was sent, so nothing has happened."""


class NoRole(NoAnswer):
    """The instance metadata service gives no credentials (yet)."""


def endpoints(service: str, region: str) -> list[str]:
    """The addresses to try, in order. Raises NoAnswer for a file that cannot be understood."""
    given = os.environ.get(VARIABLES[service]) or _in_file(service)
    if given:
        return [given.replace("{region}", region).rstrip("/")]
    if service == "metadata":
        return METADATA
    host = HOSTS.get(service, service)
    return [f"https://{host}.{region}.amazonaws.com", f"https://{host}.{region}.api.aws"]


def _in_file(service: str) -> str:
    try:
        with open(FILE, encoding="ascii") as file:
            lines = [line.strip() for line in file]
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise NoAnswer(f"{FILE} cannot be read: {error}") from None
    found = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    url = found.get(service, "").strip()
    if url and urlsplit(url).scheme not in ("http", "https"):
        raise NoAnswer(f"{FILE}: {service} is no URL: {url}")
    return url


def connect(urls: Iterable[str], timeout: float = CONNECTING) -> tuple[http.client.HTTPConnection, str]:
    """A connection to the first address that accepts one, and its host for the request. Raises NoConnection."""
    said = []
    for url in urls:
        parts = urlsplit(url)
        kind = http.client.HTTPConnection if parts.scheme == "http" else http.client.HTTPSConnection
        connection = kind(parts.netloc, timeout=timeout)
        try:
            connection.connect()
        except OSError as error:
            said.append(f"no connection to {parts.netloc}: {error}")
            continue
        return connection, parts.netloc
    raise NoConnection("; ".join(said))


def role() -> dict[str, str]:
    """The credentials of the instance's role, by IMDSv2. Raises NoRole."""
    try:
        connection, host = connect(endpoints("metadata", ""), METADATA_TIMEOUT)
    except NoConnection as why:
        raise NoRole(f"the instance metadata service does not answer: {why}") from None

    def ask(method: str, path: str, header: Mapping[str, str]) -> str:
        try:
            connection.request(method, path, headers=dict(header))
            response = connection.getresponse()
            content = response.read().decode("ascii")
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoRole(f"the instance metadata service at {host} does not answer: {error}") from None
        if response.status != 200:
            raise NoRole(f"the instance metadata service at {host} says {response.status} to {path}")
        return content

    header = {
        "X-aws-ec2-metadata-token": ask("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
    }
    roles = "/latest/meta-data/iam/security-credentials/"
    found = json.loads(ask("GET", roles + ask("GET", roles, header).split("\n")[0].strip(), header))
    connection.close()
    try:
        return {name: found[name] for name in ("AccessKeyId", "SecretAccessKey", "Token")}
    except (KeyError, TypeError):
        raise NoRole("the instance metadata service has no credentials yet") from None


def call(
    service: str, region: str, header: Mapping[str, str], body: bytes = b"", request: str = "POST /"
) -> tuple[int, bytes]:
    """The status and body of the response to a signed request. Raises NoAnswer."""
    whose = role()
    connection, host = connect(endpoints(service, region))
    method, path = request.split(" ")
    digest = hashlib.sha256(body).hexdigest()
    signed_header = signed((service, region, host), request, header, digest=digest, whose=whose, now=time.gmtime())
    try:
        connection.request(method, path, body, signed_header)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(f"no answer from {host}: {error or type(error).__name__}") from None


def signed(
    where: tuple[str, str, str],
    request: str,
    header: Mapping[str, str],
    *,
    digest: str,
    whose: Mapping[str, str],
    now: time.struct_time,
) -> dict[str, str]:
    """The header with AWS's Signature Version 4 in it. `where` is (service, region, host), `request` "METHOD /path",
    `digest` the body's SHA-256 in hex."""
    service, region, host = where
    stamp, day = time.strftime("%Y%m%dT%H%M%SZ", now), time.strftime("%Y%m%d", now)
    whole = {**header, "host": host, "x-amz-date": stamp, "x-amz-security-token": whose["Token"]}
    whole = dict(sorted(whole.items()))
    names = ";".join(whole)
    lines = "".join(f"{name}:{value}\n" for name, value in whole.items())
    method, path = request.split(" ")
    canonical = f"{method}\n{path}\n\n{lines}\n{names}\n{digest}"
    scope = f"{day}/{region}/{SIGNED_AS.get(service, service)}/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{whose['SecretAccessKey']}".encode()
    for part in (*scope.split("/"), to_sign):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    credential = f"Credential={whose['AccessKeyId']}/{scope}"
    return {**whole, "authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={key.hex()}"}
