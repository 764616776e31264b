"""Where mail for a domain goes, by public DNS: what senders see, and not what a hosted zone would say."""

import dns.exception
import dns.resolver
from postern_mail.errors import Unavailable

_LIFETIME = 15.0  # seconds for one answer


def mail_exchangers(domain: str) -> list[str]:
    """The hosts of a domain's MX records, in lower case without a last dot; none where there are none.

    Raises Unavailable where no resolver answers: then nobody knows.
    """
    try:
        answer = dns.resolver.resolve(domain, "MX", lifetime=_LIFETIME)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException as failure:
        raise Unavailable(f"the MX of {domain} in public DNS: {failure}") from failure
    return sorted(str(one.exchange).rstrip(".").lower() for one in answer)
