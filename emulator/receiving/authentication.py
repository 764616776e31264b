"""Computes real verdicts: SPF with pyspf, DKIM with dkimpy, and DMARC from both, with the public suffix list (RFC 7489
6.6): whether SES walks up the DNS tree as in RFC 9989 is not verified.

The spam and virus verdicts depend on the standard test strings, GTUBE and EICAR.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.utils import getaddresses
from functools import cache

import dkim
import spf
from publicsuffixlist import PublicSuffixList

from .zone import Zone, tags

GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
# In two pieces, so that no virus scanner flags this file.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

_BROKEN = ("permerror", "temperror")  # RFC 7208 2.6.6, 2.6.7; only the first was seen

_ASKING_SPF = threading.Lock()  # pyspf looks names up through a function of its module


@dataclass(frozen=True)
class Session:
    """The SMTP session: the client's address, its HELO name and MAIL FROM ("" for the null sender).

    `reverse_name` is the client's name in reverse DNS.
    """

    client: str
    helo: str
    mail_from: str
    reverse_name: str = "unknown"


@dataclass(frozen=True)
class Results:
    """SES's verdicts (PASS, FAIL, GRAY), and the results for its headers.

    `spf` and `dmarc` are the protocols' own results; `dkim_domain` is the d= of the signature that passed, else of the
    first; `dmarc_policy` is set if DMARC failed.
    """

    spam: str
    virus: str
    spf: str
    dkim: str
    dkim_domain: str
    dmarc: str
    dmarc_policy: str
    from_domain: str

    @property
    def spf_verdict(self) -> str:
        """SES's verdict for an SPF result: softfail and neutral are GRAY (seen in real mail)."""
        return {"pass": "PASS", "fail": "FAIL", **dict.fromkeys(_BROKEN, "PROCESSING_FAILED")}.get(self.spf, "GRAY")


def authenticate(raw: bytes, session: Session, zone: Zone) -> Results:
    """All verdicts on a message."""
    spf_result = _spf(session, zone)
    signatures = list(_dkim(raw, zone))
    passed = [domain for domain, valid in signatures if valid]
    from_domain = _from_domain(raw)
    aligned_with = [*passed, *([_domain(session.mail_from)] if spf_result == "pass" else [])]
    dmarc, policy = _dmarc(from_domain, aligned_with, zone)
    return Results(
        spam="FAIL" if GTUBE in raw else "PASS",
        virus="FAIL" if EICAR in raw else "PASS",
        spf=spf_result,
        dkim="PASS" if passed else "FAIL" if signatures else "GRAY",
        dkim_domain=next(iter(passed), signatures[0][0] if signatures else ""),
        dmarc=dmarc,
        dmarc_policy=policy,
        from_domain=from_domain,
    )


def _spf(session: Session, zone: Zone) -> str:
    with _ASKING_SPF:
        spf.DNSLookup = zone.spf_lookup
        result, _ = spf.check2(session.client, session.mail_from, session.helo)
    return str(result)


def _dkim(raw: bytes, zone: Zone) -> Iterator[tuple[str, bool]]:
    """(domain, valid) of each DKIM-Signature."""
    count = len(message_from_bytes(raw).get_all("DKIM-Signature", []))
    for index in range(count):
        try:
            verifier = dkim.DKIM(raw)
        except dkim.DKIMException:  # it refuses a message with lines that end in CR CR LF
            yield "", False
            continue
        try:
            valid = verifier.verify(idx=index, dnsfunc=zone.dkim_txt)
        except dkim.DKIMException:
            valid = False  # a signature that cannot be checked counts as invalid
        yield (verifier.domain or b"").decode("ascii", "replace").lower(), valid


def _dmarc(from_domain: str, authenticated: list[str], zone: Zone) -> tuple[str, str]:
    """(PASS, FAIL or GRAY, the policy if it failed)."""
    own = _policy(from_domain, zone)
    record = own or _policy(_organisation(from_domain), zone)
    if not record:
        return "GRAY", ""
    for domain in authenticated:
        if domain == from_domain or _organisation(domain) == _organisation(from_domain):
            return "PASS", ""
    policy = record.get("p", "none")
    return "FAIL", policy if own else record.get("sp", policy)


def _policy(domain: str, zone: Zone) -> dict[str, str]:
    records = [record for record in zone.find(f"_dmarc.{domain}", "TXT") if record.startswith("v=DMARC1")]
    return dict(tags(records[0])) if len(records) == 1 else {}


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def _organisation(domain: str) -> str:
    return _suffixes().privatesuffix(domain) or domain


def _from_domain(raw: bytes) -> str:
    values = [without_comments(str(value)) for value in message_from_bytes(raw).get_all("From", [])]
    return next((_domain(address) for _, address in getaddresses(values) if "@" in address), "")


def without_comments(value: str) -> str:
    """An address list without its comments, since getaddresses recurses into nested ones and hits the limit."""
    kept: list[str] = []
    depth, quoted, escaped = 0, False, False
    for character in value:
        if not escaped and not depth and character == '"':
            quoted = not quoted
        if not escaped and not quoted and character == "(":
            depth += 1
        if not depth:
            kept.append(character)
        if not escaped and not quoted and character == ")" and depth:
            depth -= 1
        escaped = character == "\\" and not escaped
    return "".join(kept)


def _domain(address: str) -> str:
    return address.rpartition("@")[2].strip("<> ").lower()
