"""Signature Version 4 (docs.aws.amazon.com/IAM, "Create a signed AWS API request"), in a header."""

import hashlib
import hmac
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple


class Credentials(NamedTuple):
    """The credentials of a request; only temporary ones have a `token`."""

    key: str
    secret: str
    token: str = ""

    def __repr__(self) -> str:
        """Without secrets, for logs."""
        return f"Credentials({self.key!r})"


class Scope(NamedTuple):
    """The scope of a signature; `service` is the signing name: `ses` for SESv2."""

    region: str
    service: str


def signed(
    scope: Scope, request: tuple[str, str], header: Mapping[str, str], *, digest: str, whose: Credentials, now: float
) -> dict[str, str]:
    """The whole header with `authorization` added; every field is signed.

    `request` is the method and the path, quoted as it is sent and without a query; names in `header` are in lower case,
    `host` among them; `digest` is the SHA-256 of the body in hex; `now` in epoch seconds.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    fields = {**header, "x-amz-date": stamp}
    if whose.token:
        fields["x-amz-security-token"] = whose.token
    names = sorted(fields)
    lines = "".join(f"{name}:{fields[name].strip()}\n" for name in names)
    canonical = "\n".join((*request, "", lines, ";".join(names), digest))
    parts = (stamp[:8], *scope, "aws4_request")
    place = "/".join(parts)
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{place}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.digest(_key(whose.secret, parts), to_sign.encode(), "sha256").hex()
    said = f"Credential={whose.key}/{place}, SignedHeaders={';'.join(names)}, Signature={signature}"
    return {**fields, "authorization": f"AWS4-HMAC-SHA256 {said}"}


@lru_cache(maxsize=8)
def _key(secret: str, parts: tuple[str, ...]) -> bytes:
    """The key of a day, a region and a service."""
    key = f"AWS4{secret}".encode()
    for part in parts:
        key = hmac.digest(key, part.encode(), "sha256")
    return key
