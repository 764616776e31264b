"""Restrictions, DNS lists and Postgrey as settings for screening, which happens after SES has accepted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from postern_mail.mail.dns_lists import sites

from .report import Part, changed, left_behind

QUARANTINE, TAG = "quarantine", "tag"
# The setting for each restriction, including Postfix's older names.
_RESTRICTIONS = {
    "reject_invalid_helo_hostname": "reject_invalid_helo_hostname",
    "reject_invalid_hostname": "reject_invalid_helo_hostname",
    "reject_non_fqdn_helo_hostname": "reject_non_fqdn_helo_hostname",
    "reject_non_fqdn_hostname": "reject_non_fqdn_helo_hostname",
    "reject_unknown_helo_hostname": "reject_unknown_helo_hostname",
    "reject_unknown_hostname": "reject_unknown_helo_hostname",
    "reject_non_fqdn_sender": "reject_non_fqdn_sender",
    "reject_unknown_sender_domain": "reject_unknown_sender_domain",
    "reject_unknown_address": "reject_unknown_sender_domain",
    "reject_unknown_reverse_client_hostname": "reject_unknown_reverse_client_hostname",
    "reject_unknown_client_hostname": "reject_unknown_reverse_client_hostname",
    "reject_unknown_client": "reject_unknown_reverse_client_hostname",
}
_WEAK = ("reject_unknown_helo_hostname", "reject_unknown_reverse_client_hostname")
_KEY = re.compile(r"[a-z0-9]{10,}(?=\.[a-z-]+\.dq\.spamhaus\.net)", re.IGNORECASE)
_SPAMHAUS = re.compile(r"\bspamhaus\.(?:org|net)\b", re.IGNORECASE)
_NAME_CODES = "name the codes that mean a listing: postern settings set dnsbl_sites zone=127.0.0.2"
_WEIGHT = re.compile(r"\*-?\d+\Z")


@dataclass(frozen=True, slots=True)
class Screens:
    """What a line turns on: settings, DNS lists of clients and of domains; and the verdict on the line."""

    part: Part
    settings: Mapping[str, object] = field(default_factory=dict)
    dnsbl: tuple[str, ...] = ()
    rhsbl: tuple[str, ...] = ()

    def warning(self, shown: str) -> "Screens":
        """The same after warn_if_reject, where it rejected no mail: the forward only gets a header field."""
        settings = {name: TAG if value == QUARANTINE else value for name, value in self.settings.items()}
        told = {key: tuple(f"{_WEIGHT.sub('', one)}*0" for one in getattr(self, key)) for key in ("dnsbl", "rhsbl")}
        part = changed(f"{shown}: after warn_if_reject, so it only adds X-Postern-Listed and does not count")
        return replace(self, part=part, settings=settings, **told)


@dataclass(slots=True)
class Screening:
    """Everything that main.cf turns on."""

    settings: dict[str, object] = field(default_factory=dict)
    dnsbl: list[str] = field(default_factory=list)
    rhsbl: list[str] = field(default_factory=list)

    def add(self, found: Screens) -> None:
        """Add a line. A check that quarantines stays so, even if another line only warns."""
        kept = {name: value for name, value in self.settings.items() if value == QUARANTINE}
        self.settings |= {**found.settings, **kept}
        self.dnsbl += found.dnsbl
        self.rhsbl += found.rhsbl

    def row(self) -> dict[str, object]:
        """The settings. A list in smtpd rejected on its own, so it gets the whole threshold as its weight."""
        threshold = int(str(self.settings.get("screening_threshold", 1)))
        lists = {"dnsbl_sites": self.dnsbl, "rhsbl_sites": self.rhsbl}
        weighed = {name: [_weighed(one, threshold) for one in found] for name, found in lists.items()}
        return {**self.settings, **{name: ", ".join(dict.fromkeys(found)) for name, found in weighed.items() if found}}


def restriction(name: str, shown: str) -> Screens | None:
    """A restriction by client, HELO or sender, None for one that has no setting."""
    setting = _RESTRICTIONS.get(name)
    if setting is None:
        return None
    counts = "adds one point, but never alone" if setting in _WEAK else "quarantines what Postfix rejected"
    return Screens(changed(f"{shown}: the setting {setting}, which {counts}"), {setting: QUARANTINE})


def dns_list(name: str, argument: str) -> Screens | Part:
    """`reject_rbl_client` and `reject_rhsbl_*`."""
    shown = f"{name} {_KEY.sub('KEY', argument)}"
    site = _without_key(argument)
    if fault := _fault(site):
        return left_behind(f"{shown}: {fault}", _NAME_CODES)
    setting = "rhsbl_sites" if "rhsbl" in name else "dnsbl_sites"
    part = changed(f"{shown}: in the setting {setting}, which quarantines what Postfix rejected{_asks_for_a_key(site)}")
    return Screens(part, rhsbl=(site,)) if "rhsbl" in name else Screens(part, dnsbl=(site,))


def postscreen(name: str, value: str) -> list[Screens | Part] | None:
    """What a DNS-list parameter of postscreen turns on, None for other parameters or without a value."""
    match name, value.strip():
        case ("postscreen_dnsbl_sites", typed) if typed:
            return _postscreen_sites(typed)
        case ("postscreen_dnsbl_threshold", typed) if typed:
            return [_postscreen_threshold(typed)]
        case _:
            return None


def _postscreen_sites(value: str) -> list[Screens | Part]:
    found: list[Screens | Part] = []
    for typed in re.split(r"[,\s]+", value.strip()):
        if not typed:
            continue
        shown, site = _KEY.sub("KEY", typed), _without_key(typed)
        site = site if _WEIGHT.search(site) else f"{site}*1"
        if fault := _fault(site):
            found.append(left_behind(f"{shown}: {fault}", _NAME_CODES))
        else:
            says = f"{shown}: in the setting dnsbl_sites, with its weight{_asks_for_a_key(site)}"
            found.append(Screens(changed(says), dnsbl=(site,)))
    return found


def _postscreen_threshold(value: str) -> Screens | Part:
    if not value.isdigit() or not 1 <= int(value[:5]) <= 1000:
        return left_behind(f"{value}: not a threshold", "postern settings set screening_threshold NUMBER")
    return Screens(changed(f"the setting screening_threshold is {value}"), {"screening_threshold": int(value)})


def postgrey(shown: str) -> Screens:
    """`check_policy_service` with Postgrey."""
    says = (
        f"{shown}: the setting greylist, which holds unauthenticated mail for a while: the sender cannot be asked to"
        " retry"
    )
    return Screens(changed(says), {"greylist": True})


def _weighed(site: str, threshold: int) -> str:
    if _WEIGHT.search(site):
        return site.removesuffix("*1") if site.endswith("*1") else site
    return f"{site}*{threshold}" if threshold > 1 else site


def _without_key(typed: str) -> str:
    return _KEY.sub("", typed).removeprefix(".").lower()


def _fault(site: str) -> str:
    """What is wrong with an entry, "" if it can be a setting."""
    try:
        sites(site)
    except ValueError as fault:
        return str(fault)
    return ""


def _asks_for_a_key(site: str) -> str:
    return "; used only with a Spamhaus key: postern settings set dqs_key -" if _SPAMHAUS.search(site) else ""
