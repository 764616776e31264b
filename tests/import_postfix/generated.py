"""Boxes that hypothesis makes: few names, so that they meet often."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hypothesis import strategies as st

from .judge import Files

HOST = "mx.a.example"
DOMAINS = ("a.example", "b.example")
_NAMES = ("ann", "bob", "info", "team", "root", "Ann", "no-reply", "bob-t")
_OUTSIDE = ("x@out.example", "Y@out.example", "z+q@out.example", "old@else.example", "w@sub.a.example")
_PATTERNS = (
    r"/^sales-(.*)@a\.example$/ $1@made.example",
    r"/^(.+)-dev@b\.example$/ $1@a.example",
    r"/^in/ in@out.example",
    r"/^ann@a\.example$|^bob@b\.example$/ either@out.example",
    r"/@b\.example$/ ann@a.example, all@out.example",
    r"/.*/ every@out.example",
    r"/team/ bob",
)
_names = st.sampled_from(_NAMES)
_domains = st.sampled_from(DOMAINS)
_places = st.sampled_from((*DOMAINS, HOST, "localhost", "else.example"))
_outside = st.sampled_from(_OUTSIDE)
_address = st.builds("{}@{}".format, _names, _places)
_target = st.one_of(_names, _address, _outside, _outside)
_at_domain = st.builds("@{}".format, st.sampled_from((*DOMAINS, HOST, "localhost", "else.example", "out.example")))
_virtual_targets = st.one_of(
    st.lists(_target, min_size=1, max_size=3),
    _at_domain.map(lambda text: [text]),
).map(", ".join)
_virtual_keys = st.one_of(
    st.builds("{}@{}".format, _names, _domains),
    st.builds("{}@{}".format, _names, _domains),
    _names,
    st.builds("bob+t@{}".format, _domains),
    st.builds("@{}".format, _domains),
    st.sampled_from(("old@else.example", "@else.example", f"bob@{HOST}", f"@{HOST}", "x@out.example")),
)
_alias_names = st.sampled_from(
    ("ann", "bob", "info", "team", "root", "owner-team", "owner-info", "list", "list-request")
)
_alias_targets = st.lists(
    st.one_of(_target, _outside, st.sampled_from(("/dev/null", ":include:/etc/list", '"|exit 67"', "list"))),
    min_size=1,
    max_size=3,
).map(", ".join)
_list = st.lists(st.one_of(_target, _outside), min_size=1, max_size=3)


@dataclass(frozen=True)
class Generated:
    """A box, and what is asked of it."""

    files: Files
    delimiter: str | None
    asked: tuple[str, ...]


@st.composite
def boxes(draw: st.DrawFn) -> Generated:
    """A box whose domains are a.example and b.example, each with or without aliases(5)."""
    local = draw(st.sets(_domains, min_size=0, max_size=2))
    delimiter = draw(st.sampled_from((None, "+", "+", "+", "-", "+-")))
    virtual = draw(st.dictionaries(_virtual_keys, _virtual_targets, max_size=6))
    aliases = draw(st.dictionaries(_alias_names, _alias_targets, min_size=2, max_size=8))
    members = draw(_list)
    patterns = draw(st.one_of(st.just([]), st.just([]), st.lists(st.sampled_from(_PATTERNS), min_size=1, max_size=2)))
    ending = draw(st.sampled_from(("\n", "\n", "\r\n")))
    tables = ["hash:/etc/virtual", *(["pcre:/etc/patterns"] if patterns else [])]
    if draw(st.booleans()):
        tables.reverse()
    lines = [
        f"myhostname = {HOST}",
        f"myorigin = {draw(st.sampled_from((HOST, 'a.example', '$mydomain', '$myhostname')))}",
        f"mydestination = {', '.join(sorted({*local, '$myhostname', 'localhost.$mydomain', 'localhost'}))}",
        f"virtual_alias_domains = {', '.join(sorted(set(DOMAINS) - local))}",
        f"virtual_alias_maps = {', '.join(tables)}",
        "alias_maps = hash:/etc/aliases",
        *draw(st.sampled_from((["compatibility_level = 3.6"], ["append_dot_mydomain = no"], []))),
        *([] if delimiter is None else [f"recipient_delimiter = {delimiter}"]),
        *draw(
            st.sampled_from(
                (
                    [],
                    [],
                    ["propagate_unmatched_extensions = canonical"],
                    ["propagate_unmatched_extensions = virtual, alias"],
                )
            )
        ),
    ]
    files = {
        "/etc/virtual": _text((f"{key} {targets}" for key, targets in _once(virtual)), ending),
        "/etc/aliases": _text((f"{name}: {targets}" for name, targets in _once(aliases)), ending),
        "/etc/list": _text(members, ending),
        "/etc/patterns": _text(patterns, "\n"),
    }
    return Generated(Files("\n".join(lines) + "\n", files), delimiter, tuple(_asked(virtual, aliases, delimiter)))


def _once(rows: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Of two keys that differ in case only, the first: postmap would keep it too, and warn."""
    return iter({key.lower(): (key, value) for key, value in reversed(rows.items())}.values())


def _text(lines: Iterable[str], ending: str) -> str:
    return "".join(f"{line}{ending}" for line in lines)


def _asked(virtual: dict[str, str], aliases: dict[str, str], delimiter: str | None) -> Iterator[str]:
    locals_ = dict.fromkeys(("nobody", "sales-x", "x-dev", "info", "ann", "bob", *aliases))
    locals_.update(dict.fromkeys(key.rpartition("@")[0] if "@" in key else key for key in virtual))
    names = [name for name in locals_ if name]
    tags = ["+tag", *(f"{one}tag" for one in delimiter or "" if one != "+")]
    for domain in DOMAINS:
        for name in names:
            yield f"{name}@{domain}"
            yield from (f"{name}{tag}@{domain}" for tag in tags)
