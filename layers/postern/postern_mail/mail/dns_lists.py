"""DNS lists (RFC 5782): sites in the form of postscreen_dnsbl_sites, the queries, and what an answer means.

Only the codes that a setting names are a listing. Every other answer is an error: the zone is misspelt or lapsed, the
list does not know us, or we ask too much. Fourteen mail systems mistook one of these for a listing, and refused all
mail.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address

from .dns import Answer, Answers, Question
from .hostnames import is_address, is_qualified, undotted
from .records import dataclass, field

MOST_SITES = 8  # of one kind: each means a query for each message
MOST_WEIGHT = 100
MOST_ASKED = 180  # characters of a domain; with the zone after it a name has 253
KEYED = "Spamhaus answers only with a DQS key"  # public mirrors have refused AWS's resolvers since 2022-09-22

_SITE = re.compile(r"([^=*\s]+)(?:=([^*\s]+))?(?:\*(-?\d{1,3}))?\Z")
_PART = re.compile(r"\[(\d{1,3}(?:\.\.\d{1,3})?(?:;\d{1,3}(?:\.\.\d{1,3})?)*)\]|(\d{1,3})")
_SPAMHAUS = re.compile(r"(?:(.+)\.)?(sbl|sbl-xbl|xbl|pbl|zen|dbl|zrd)\.(?:dq\.)?spamhaus\.(?:org|net)\Z")
# What the lists themselves say their answers mean, for a setting that names no codes.
_CODES = {
    "sbl": "127.0.0.[2..3;9]",
    "xbl": "127.0.0.[4..7]",
    "sbl-xbl": "127.0.0.[2..7;9]",
    "pbl": "127.0.0.[10..11]",
    "zen": "127.0.0.[2..7;9..11;30]",
    "dbl": "127.0.1.[2..6;102..106]",
    "zrd": "127.0.2.[2..24]",
    "bl.spamcop.net": "127.0.0.2",
}
_ABUSED = ("dbl.dq.spamhaus.net", range(102, 107))  # good domains that are abused: reported, but never counted
_ERRORS = {
    "127.255.255.252": "its name is misspelt",
    "127.255.255.254": "it does not answer the resolver that asks",
    "127.255.255.255": "it gets too many queries",
}
_ERROR = "127.255.255."


@dataclass(frozen=True, slots=True)
class Site:
    """One entry: the answers it names, as four sets of numbers, and the weight of each."""

    zone: str
    codes: tuple[frozenset[int], ...]
    weight: int = 1

    def names(self, value: str) -> bool:
        """Whether an answer is one of these."""
        octets = value.split(".")
        return len(octets) == 4 and all(int(one) in known for one, known in zip(octets, self.codes, strict=True))

    @property
    def keyed(self) -> bool:
        """Whether queries need the owner's DQS key."""
        return _SPAMHAUS.match(self.zone) is not None

    def asked(self, name: str, key: str) -> Question:
        """The query for what stands before the zone; `key` is the DQS key."""
        return Question(f"{name}.{key}.{self.zone}" if self.keyed else f"{name}.{self.zone}")


@dataclass(frozen=True, slots=True)
class Listing:
    """A list names the client or a domain. `about` says which: client, MAIL FROM, From ... `points` are the sum of the
    sites that name the answer."""

    zone: str
    about: str
    code: str
    points: int


@dataclass(frozen=True, slots=True)
class ListResults:
    """The result of the queries. `answered` are zones with a valid answer; `errors` are invalid answers, by zone;
    `late` are zones that did not answer in time."""

    listings: tuple[Listing, ...] = ()
    answered: frozenset[str] = frozenset()
    errors: Mapping[str, str] = field(default_factory=dict)
    late: frozenset[str] = frozenset()


def sites(text: str) -> tuple[Site, ...]:
    """Parse entries separated by commas or blanks. Raises ValueError, which names the first wrong one."""
    found = tuple(_site(one) for one in re.split(r"[,\s]+", text.strip()) if one)
    if len({one.zone for one in found}) > MOST_SITES:
        raise ValueError(f"at most {MOST_SITES} lists")
    return found


def zones(listed: Iterable[Site], key: str) -> tuple[str, ...]:
    """The zones to query: Spamhaus's only with a key."""
    return tuple(dict.fromkeys(one.zone for one in listed if key or not one.keyed))


def reversed_address(address: str) -> str:
    """The name of an address below a zone, RFC 5782 2.1 and 2.4; "" if the text is not an address."""
    if not is_address(address):
        return ""
    try:
        pointer = ip_address(address).reverse_pointer
    except ValueError:
        return ""
    return pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")


def listed_domain(name: str) -> str:
    """A domain in the form that lists are queried for, "" for an address, a literal, or text that is not a domain."""
    domain = undotted(name).lower()
    fits = len(domain) <= MOST_ASKED and is_qualified(domain) and not is_address(domain)
    return domain if fits else ""


def questions(listed: Iterable[Site], subjects: Mapping[str, str], key: str) -> Iterator[Question]:
    """One query for each zone and subject; `subjects` maps each name below the zone to what it is about."""
    for site in listed:
        if key or not site.keyed:
            yield from (site.asked(name, key) for name in subjects)


def understood(listed: Iterable[Site], subjects: Mapping[str, str], key: str, answers: Answers) -> ListResults:
    """What the answers to these questions mean."""
    listings: list[Listing] = []
    errors: dict[str, str] = {}
    answered: set[str] = set()
    late: set[str] = set()
    by_zone: dict[str, list[Site]] = {}
    for site in listed:
        if key or not site.keyed:
            by_zone.setdefault(site.zone, []).append(site)
    for zone, sites_asked in by_zone.items():
        for name, about in subjects.items():
            answer = answers.get(sites_asked[0].asked(name, key))
            if answer is None:
                late.add(zone)
            elif fault := wrong(answer, sites_asked):
                errors[zone] = fault
            else:
                answered.add(zone)
                if answer.values:
                    listings.append(_listing(zone, about, answer, sites_asked))
    return ListResults(tuple(listings), frozenset(answered - errors.keys()), errors, frozenset(late))


def wrong(answer: Answer, sites_asked: Iterable[Site]) -> str:
    """Why an answer is an error; "" if it is one of the named codes, or means that nothing is listed."""
    if fault := broken(answer):
        return fault
    if answer.values and not any(site.names(value) for site in sites_asked for value in answer.values):
        return f"it answers {', '.join(answer.values)}, which the setting does not name"
    return ""


def broken(answer: Answer) -> str:
    """Why an answer is not one that a list gives, whatever its codes mean; "" if it is."""
    if answer.failed:
        return answer.failed
    for value in answer.values:
        if value.startswith(_ERROR):
            return f"{_ERRORS.get(value, 'it reports an error')} ({value})"
        if not value.startswith("127."):
            return f"it answers {value}, which no list does"
    return ""


def self_test(zone: str, key: str, *, domains: bool) -> tuple[Question, Question]:
    """An entry that a list must have, and one that it must not (RFC 5782 5), as queries."""
    site = Site(zone, ())
    listed, unlisted = ("TEST", "INVALID") if domains else ("2.0.0.127", "1.0.0.127")
    return site.asked(listed, key), site.asked(unlisted, key)


def _listing(zone: str, about: str, answer: Answer, sites_asked: Iterable[Site]) -> Listing:
    abused, codes = _ABUSED
    points, told = 0, ""
    for site in sites_asked:
        for value in filter(site.names, answer.values):
            told = told or value
            points += 0 if zone == abused and int(value.rpartition(".")[2]) in codes else site.weight
            break
    return Listing(zone, about, told, points)


def _site(text: str) -> Site:
    found = _SITE.match(text)
    if found is None:
        raise ValueError(f"{text!r}: expected zone=codes*weight, as in bl.example.org=127.0.0.[2..11]*2")
    zone, codes, weight = found[1].lower().rstrip("."), found[2], int(found[3] or 1)
    if not is_qualified(zone):
        raise ValueError(f"{text!r}: {zone!r} is not a zone")
    known = zone
    if spamhaus := _SPAMHAUS.match(zone):
        if spamhaus[1]:
            raise ValueError("a key is not part of a zone: write zen.dq.spamhaus.net, and set dqs_key")
        known, zone = spamhaus[2], f"{spamhaus[2]}.dq.spamhaus.net"
    codes = codes or _CODES.get(known)
    if codes is None:
        raise ValueError(f"{text!r}: name the codes that mean a listing, as in {zone}=127.0.0.2")
    if abs(weight) > MOST_WEIGHT:
        raise ValueError(f"{text!r}: a weight is at most {MOST_WEIGHT}")
    return Site(zone, _codes(text, codes), weight)


def _codes(text: str, typed: str) -> tuple[frozenset[int], ...]:
    """The four sets of `127.0.0.[2..11;30]`."""
    octets: list[frozenset[int]] = []
    at = 0
    while part := _PART.match(typed, at):
        octets.append(frozenset(number for one in (part[1] or part[2]).split(";") for number in _range(text, one)))
        at = part.end()
        if at == len(typed) or typed[at] != ".":
            break
        at += 1
    if at != len(typed) or len(octets) != 4 or octets[0] != {127}:
        raise ValueError(f"{text!r}: {typed!r} is not an answer of a list, such as 127.0.0.[2..11;30]")
    if octets[1] == octets[2] == {255}:
        raise ValueError(f"{text!r}: 127.255.255.x is how lists report errors, never a listing")
    return tuple(octets)


def _range(text: str, typed: str) -> range:
    first, _, last = typed.partition("..")
    numbers = range(int(first), int(last or first) + 1)
    if not numbers or numbers[-1] > 255:
        raise ValueError(f"{text!r}: {typed!r} is not a range of numbers from 0 to 255")
    return numbers
