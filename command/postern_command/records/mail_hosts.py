"""The provider that runs a mail server, by its name."""

import re

_OWNERS = {
    "google.com": "Google",
    "googlemail.com": "Google",
    "outlook.com": "Microsoft 365",
    "mx.microsoft": "Microsoft 365",
    "protonmail.ch": "Proton Mail",
    "messagingengine.com": "Fastmail",
    "zoho.com": "Zoho",
    "zoho.eu": "Zoho",
    "icloud.com": "iCloud",
    "mx.cloudflare.net": "Cloudflare Email Routing",
    "forwardemail.net": "Forward Email",
    "improvmx.com": "ImprovMX",
    "simplelogin.co": "SimpleLogin",
    "mailgun.org": "Mailgun",
    "secureserver.net": "GoDaddy",
    "privateemail.com": "Namecheap",
    "registrar-servers.com": "Namecheap",
    "ovh.net": "OVH",
    "kundenserver.de": "IONOS",
    "ui-dns.com": "IONOS",
    "gandi.net": "Gandi",
    "yandex.net": "Yandex",
}
_SES = re.compile(r"inbound-smtp\.([a-z0-9-]+)\.amazonaws\.com")
_SLIP = re.compile(r"inbound-smtp\.([a-z0-9-]+)\.(?:amazonses\.com|amazonaws\.com\..+)")


def whose(mx: str) -> str:
    """The provider behind an MX record such as `10 mx.example.net`; "" if it is not known."""
    host = mx.rpartition(" ")[2].rstrip(".").lower()
    if not host:
        return "the null MX, which says that the domain accepts no mail, RFC 7505"
    if found := _SES.fullmatch(host):
        return f"SES in {found[1]}"
    if found := _SLIP.fullmatch(host):
        return f"a typing error: SES receives at inbound-smtp.{found[1]}.amazonaws.com"
    return next((owner for suffix, owner in _OWNERS.items() if host == suffix or host.endswith(f".{suffix}")), "")
