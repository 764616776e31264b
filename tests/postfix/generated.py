"""Senders, tables and recipients that hypothesis makes: few names, so that they meet often."""

from collections.abc import Iterable

from hypothesis import strategies as st

from .ours import AliasTable

_ATEXT = "abcXYZ019!#$%&'*/=?^_`{|}~-."
_LABELS = ("a", "b", "c", "Mail", "x-y", "0", "1a", "a_b", "xn--mnchen-3ya", "com", "example", "museum")
_NAMES = ("info", "Info", "sales", "a", "b", "owner-list", "a.b", "a..b", ".a", "o'neil", "x=y", "postmaster")
_TAGS = ("", "", "+t", "+News", "+t+u", "+", "++")
_LITERALS = ("[192.0.2.1]", "[IPv6:2001:db8::1]")
_QUOTED = ('"a b"', '"a@b"', '"a\\"q"', '""', '"info"', '"Info+t"', '"a(b"', '".."', '"a\\b"')

OWN = ("one.example", "two.example")
LOCAL = "local.example"
_ALIAS_NAMES = ("a", "b", "c", "A", "a+t", "b+t", "b+u", "+a", "a+", "x-y")
_OUTSIDE = ("a@out.example", "B@out.example", "c+x@out.example", "d@other.example")
_PATTERNS = (
    ("a.*", ("p@out.example",)),
    (r".*\+t", ("tagged@out.example", "b@two.example")),
    ("([a-z])-([a-z])", (r"\2@out.example", r"\1-@other.example")),
    ("([a-z]).*", (r"\1@two.example",)),
    ("b", ("@out.example",)),
    ("c|b", ("q@out.example", "a@one.example")),
)

# smtpd takes no name that is all digits, and no local part that looks like an option.
domains = (
    st.lists(st.sampled_from(_LABELS), min_size=1, max_size=4)
    .map(".".join)
    .filter(lambda name: not name.replace(".", "").isdigit())
)
_words = st.text(_ATEXT, min_size=1, max_size=12).filter(lambda word: not word.startswith("-"))
_locals = st.builds("{}{}".format, st.one_of(st.sampled_from(_NAMES), _words), st.sampled_from(_TAGS))
plain_senders = st.builds("{}@{}{}".format, _locals, domains, st.sampled_from(("", "", "", ".")))
literal_senders = st.builds("{}@{}".format, _locals, st.sampled_from(_LITERALS))
quoted_senders = st.builds("{}@{}".format, st.sampled_from(_QUOTED), domains)
senders = st.one_of(plain_senders, plain_senders, plain_senders, literal_senders, quoted_senders)


_PIECES = (
    "a", "Z", "0", "9", "-", "_", ".", "..", "a-b", "com", "example", "local", "xn--a", "x" * 62, "x" * 63, "x" * 64,
    "192.0.2.1", "1", "256", "00", "::", ":", "2001:db8", "ffff", "fffff", "[", "]", "IPv6:", "ipv6:", "!", "*", "/",
)  # fmt: skip
_LONG = ".".join(["x" * 49] * 5)
_KNOWN = (
    "localhost", "mail.example.com", "mail.example.com.", "mail.example.com..", ".", "..", ".example.com", "_x.example",
    "example-.com", "-example.com", "example.-com", "a_b", "1.2.3.4", "1.2.3.4.", "0.0.0.0", "0.1.2.3", "1.2.3", "1.2.3.4.5",
    "1.2.3.256", "01.02.03.04", "0001.2.3.4", "1..2.3", "123", "1.2.3.4a", "4.example", "2001:db8::1", "2001:db8::1.", "::", "::1",
    "::ffff:192.0.2.1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7::", "::1:2:3:4:5:6:7:8", "1::2::3", ":1::2", "1:2:",
    "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "1:::2", "[192.0.2.1]", "[192.0.2.1", "[]", "[", "[]]",
    "[IPv6:2001:db8::1]", "[IPv6:192.0.2.1]", "[2001:db8::1]", "[ipv6:::1]", "[IPV6:::1]", "[example.com]", "[192.0.2.1].", "192.0.2.1]",
    _LONG, f"{_LONG}.abcde", f"{_LONG}.abcdef", f"{_LONG}.abcdef.", "a" * 63, "a" * 64, f"{'a' * 63}.example", "IPv6:::1",
)  # fmt: skip
known_hosts = _KNOWN
hosts = st.one_of(
    st.sampled_from(_KNOWN),
    st.lists(st.sampled_from(_PIECES), min_size=1, max_size=7).map("".join),
    st.lists(st.sampled_from(_PIECES), min_size=1, max_size=4).map(".".join),
    st.lists(st.sampled_from(("0", "1", "192", "255", "256", "001", "")), min_size=3, max_size=5).map(".".join),
    st.lists(st.sampled_from(("0", "1", "db8", "ffff", "", "1.2.3.4")), min_size=2, max_size=9).map(":".join),
    st.lists(st.sampled_from(("0", "1", "db8", "")), min_size=2, max_size=9).map(
        lambda groups: f"[IPv6:{':'.join(groups)}]"
    ),
)


@st.composite
def sender_tables(draw: st.DrawFn) -> tuple[dict[str, str], list[str]]:
    """A table, and senders of which most are near a row of it."""
    asked = draw(st.lists(st.one_of(senders, senders, senders, st.just("")), min_size=4, max_size=12))
    keys = {key for sender in asked for key in draw(st.lists(_near(sender), max_size=3))}
    folded = {key.lower(): key for key in sorted(keys)}
    return {key: f"REJECT k{number}" for number, key in enumerate(folded.values())}, asked


def _near(sender: str) -> st.SearchStrategy[str]:
    """A key that this sender, one like it, or a naive reading of it might have."""
    if not sender:
        return st.sampled_from(("<>", "<>@", "none.example"))
    local, _, domain = sender.removesuffix(".").rpartition("@")
    labels = [domain] if domain.startswith("[") else domain.split(".")
    tails = [".".join(labels[start:]) for start in range(len(labels))]
    user = local if local.startswith('"') else local.partition("+")[0] or "x"
    keys = [
        f"{local}@{domain}",
        f"{local}@",
        f"{user}@{domain}",
        f"{user}@",
        f"{user}+other@",
        f"other@{domain}",
        f"@{domain}",
    ]
    keys += [key for tail in tails for key in (tail, f".{tail}", tail.upper(), f"{user}@{tail}")]
    # Postfix looks up two spellings of a local part that needs quotes, `".."@` and `..@`: see differences.py.
    second = ("@", "..@", '".."@')
    return st.sampled_from([key for key in keys if not key.startswith(("#", *second) if '"' in local else "#")])


@st.composite
def alias_tables(draw: st.DrawFn) -> tuple[AliasTable, list[str]]:
    """A table for our own domains, with or without patterns, and recipients."""
    name = st.builds("{}@{}".format, st.sampled_from(_ALIAS_NAMES), st.sampled_from(OWN))
    several = st.lists(st.sampled_from(_OUTSIDE) | name, min_size=1, max_size=3)
    # In Postfix @other.example stands alone: it takes what follows for a part of it.
    targets = several | several | st.sampled_from((["@out.example"], ["@two.example"]))
    key = st.one_of(name, name, name, st.sampled_from([f"@{domain}" for domain in OWN]))
    rows = draw(st.dictionaries(key.map(str.lower), targets, min_size=1, max_size=6))
    patterns = draw(
        st.dictionaries(st.just("@one.example"), st.lists(st.sampled_from(_PATTERNS), min_size=1, max_size=3))
    )
    return AliasTable(rows, patterns), draw(_recipients(rows, name))


@st.composite
def local_tables(draw: st.DrawFn) -> tuple[AliasTable, list[str]]:
    """A table of one domain, as aliases(5) has it, and recipients."""
    name = st.sampled_from(_ALIAS_NAMES).map(lambda local: f"{local}@{LOCAL}")
    targets = st.lists(st.one_of(name, st.sampled_from(_OUTSIDE), st.just("discard:")), min_size=1, max_size=3)
    rows = draw(st.dictionaries(name.map(str.lower), targets, min_size=1, max_size=5))
    return AliasTable(rows), draw(_recipients(rows, name))


def _recipients(rows: Iterable[str], name: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    """Any addresses, those of rows, and those with a tag that no row has."""
    known = [key for key in sorted(rows) if not key.startswith("@")]
    tagged = [key.replace("@", "+V@") for key in known]
    near = st.sampled_from([*known, *tagged]) if known else name
    return st.lists(st.one_of(name, near), min_size=2, max_size=6)
