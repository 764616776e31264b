"""The verdict on each restriction in smtpd_*_restrictions.

Source: postconf(5) and SMTPD_ACCESS_README. SES accepts a message before any of our code runs, so nothing can be
rejected within SMTP any longer.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from .filters import is_postgrey, with_a_counterpart
from .main_cf import words
from .maps import Map
from .report import Part, changed, impossible, left_behind, outbound, unneeded
from .screening import Screens, dns_list, postgrey, restriction
from .source import WHITE

LISTS = (
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
    "smtpd_relay_restrictions",
    "smtpd_recipient_restrictions",
    "smtpd_data_restrictions",
    "smtpd_end_of_data_restrictions",
)
_VERDICT = "use SES's spam verdict; sender rules can REJECT known senders"
_RULES = "sender rules with the alias as their scope can REJECT"
_SES_DOMAINS = "SES accepts mail for the domains of its receipt rules only"

_PARTS = {
    "permit": unneeded("permit: the list ends there"),
    "reject": impossible("reject: it rejected all remaining mail", "add alias rows only for those who may get mail"),
    "permit_mynetworks": outbound("permit_mynetworks: mail from your own hosts goes through the relay"),
    "permit_sasl_authenticated": outbound("permit_sasl_authenticated: SES receiving has no login"),
    "permit_tls_clientcerts": outbound("permit_tls_clientcerts: SES receiving has no login"),
    "permit_tls_all_clientcerts": outbound("permit_tls_all_clientcerts: SES receiving has no login"),
    "permit_inet_interfaces": outbound("permit_inet_interfaces: mail from your own hosts goes through the relay"),
    "permit_auth_destination": changed(f"permit_auth_destination: {_SES_DOMAINS}"),
    "reject_unauth_destination": changed(f"reject_unauth_destination: {_SES_DOMAINS}"),
    "defer_unauth_destination": changed(f"defer_unauth_destination: {_SES_DOMAINS}"),
    "reject_non_fqdn_recipient": changed(f"reject_non_fqdn_recipient: {_SES_DOMAINS}"),
    "reject_unknown_recipient_domain": changed(f"reject_unknown_recipient_domain: {_SES_DOMAINS}"),
    "reject_unlisted_recipient": changed("reject_unlisted_recipient: rejected after SES has accepted, without a reply"),
    "reject_unauth_pipelining": unneeded("reject_unauth_pipelining: SES handles SMTP"),
    "reject_multi_recipient_bounce": unneeded("reject_multi_recipient_bounce: SES handles SMTP"),
    "warn_if_reject": unneeded("warn_if_reject: what follows it rejected no mail"),
}
WARN_IF_REJECT = "warn_if_reject"
_NO_STRANGER = (  # they let in the site's own hosts and users, whose mail now takes another way
    "permit_mynetworks",
    "permit_sasl_authenticated",
    "permit_tls_clientcerts",
    "permit_tls_all_clientcerts",
    "permit_inet_interfaces",
)
REJECT = "reject"
_ENDS = ("permit", "permit_auth_destination", "reject", "defer")  # no mail for our domains gets past these
_ONE_ARGUMENT = re.compile(
    r"(?:check_[a-z_]+|(?:reject|permit)_(?:rbl|rhsbl|dnswl|rhswl)_[a-z_]+|sleep|permit_mx_backup_networks)\Z"
)
_SENDER_SERVERS = ("check_sender_mx_access", "check_sender_ns_access", "check_sender_a_access")


@dataclass(frozen=True, slots=True)
class SenderAccess:
    """`check_sender_access MAP`: a table to read; `warns` if it came after warn_if_reject, and rejected no mail."""

    map: Map
    warns: bool = False


class RejectOthers:
    """`reject` after maps of senders, with nothing else that lets strangers in: a rule for every other sender."""


Found = SenderAccess | RejectOthers | Screens | Part


def restrictions(value: str) -> Iterator[Found]:
    """The verdict on each restriction of a list, in order."""
    waiting = list(words(value))[::-1]
    last, warns, members, others = "", False, False, False
    while waiting:
        word = waiting.pop()
        if word.startswith("{"):  # `{ check_policy_service ... }` is a restriction too
            waiting += words(_bare(word))[::-1]
            continue
        name = word.lower()
        takes_one = _ONE_ARGUMENT.match(name) is not None and waiting
        argument = waiting.pop() if takes_one else ""
        if last:
            yield unneeded(f"{word} {argument}".strip() + f": it comes after {last}, so it is never reached")
        elif name == WARN_IF_REJECT:
            yield _PARTS[name]
        else:
            found: Found
            found = RejectOthers() if name == REJECT and members and not others else _one(name, argument, word)
            members |= isinstance(found, SenderAccess) and not warns
            others |= name.startswith(("permit", "check_")) and name not in (*_NO_STRANGER, "check_sender_access")
            yield _warning(found, f"{word} {argument}".strip()) if warns else found
            last = name if name in _ENDS and not warns else ""
        warns = name == WARN_IF_REJECT


def _warning(found: Found, shown: str) -> Found:
    if isinstance(found, SenderAccess):
        return replace(found, warns=True)
    if isinstance(found, Screens):
        return found.warning(shown)
    return unneeded(f"{shown}: after {WARN_IF_REJECT}, so it was only logged")


def lost_reject() -> Part:
    """The verdict on a `reject` that does not become a rule."""
    return _PARTS[REJECT]


def _bare(item: str) -> str:
    """An item without its outer braces."""
    return item.removeprefix("{").removesuffix("}")


def _one(name: str, argument: str, word: str) -> Found:
    shown = f"{word} {argument}".strip()
    if (known := _PARTS.get(name) or restriction(name, shown)) is not None:
        return known
    if name == "check_sender_access":
        if not argument:
            return impossible(f"{word}: it names no table", "name the table")
        return SenderAccess(Map.parse(argument.strip("{}" + WHITE)))
    if name.startswith(("reject_rbl", "reject_rhsbl", "permit_dnswl", "permit_rhswl")):
        return _list_in_dns(name, argument, shown)
    if name == "check_policy_service":
        return _policy_service(next(iter(words(_bare(argument))), ""), shown)
    if name.startswith("check_"):
        return _access(name, shown)
    return _syntax_or_identity(name, shown)


def _list_in_dns(name: str, argument: str, shown: str) -> Screens | Part:
    if name.startswith("permit"):
        return unneeded(f"{shown}: not imported; dnsbl_sites accepts an allow list with a negative weight")
    return dns_list(name, argument)


def _policy_service(service: str, shown: str) -> Screens | Part:
    if is_postgrey(service):
        return postgrey(shown)
    known = with_a_counterpart(service)
    if known is not None:
        return left_behind(f"{shown}: {known.says}", known.instead)
    return impossible(f"{shown}: there are no policy services", _VERDICT)


def _access(name: str, shown: str) -> Part:
    if name in ("check_recipient_access", "check_recipient_a_access", "check_recipient_mx_access"):
        instead = f"disable the alias, or leave it without a row; {_RULES}"
        return impossible(f"{shown}: there are no rules by recipient", instead)
    if name in ("check_client_access", "check_reverse_client_hostname_access", "check_client_a_access"):
        return impossible(
            f"{shown}: rules by client are not imported", "block networks: postern block-ip add NETWORK, up to 100"
        )
    if name in _SENDER_SERVERS:
        return impossible(f"{shown}: there are no rules by the sender's servers", _VERDICT)
    return impossible(f"{shown}: there is no such rule", _VERDICT)


def _syntax_or_identity(name: str, shown: str) -> Part:
    if name.startswith(("reject_non_fqdn_", "reject_unknown_", "reject_invalid_")):
        return left_behind(f"{shown}: Postern does not check this", _VERDICT)
    if name.startswith(("reject_unverified_", "reject_authenticated_", "reject_sender_login", "reject_known_")):
        return left_behind(f"{shown}: Postern does not check this", _VERDICT)
    if name.startswith("defer"):
        return impossible(
            f"{shown}: SES has already accepted, so the sender cannot be asked to retry", "use HOLD in sender rules"
        )
    if name.startswith("permit"):
        return unneeded(f"{shown}: there is no restriction left that it would bypass")
    if ":" in name:
        return impossible(
            f"{shown}: a table without check_ before it is not imported", "give a sender table with --sender-access"
        )
    if name.startswith(("reject", "sleep")):
        return left_behind(f"{shown}: SES handles SMTP", _VERDICT)
    return impossible(f"{shown}: a restriction class, or unknown", "write rules with the alias as their scope")
