"""Write the tables as a tables file, always in the same order and form, so that a diff shows only what changed."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import tomli_w
from postern_mail.mail.greylist import LINES
from postern_mail.mail.keys import domain_of, in_order
from postern_mail.mail.rows import BOOKKEEPING, HEADER_RULE, Row, is_header_rule

from .file import HEADER_RULES, WHITELISTS, TablesFile, rule_numbers

_BASIC_PLANE = 0xFFFF  # \u covers it; \U covers the rest


def toml(tables: TablesFile, *, with_domains: bool = False) -> Iterator[str]:
    """The file piece by piece, separated by empty lines: domains, if asked for or if they are not those of the keys;
    settings; aliases by domain and name; sender rules by scope and sender."""
    for number, piece in enumerate(_pieces(tables, with_domains)):
        yield f"\n{piece}" if number else piece


def _pieces(tables: TablesFile, with_domains: bool) -> Iterator[str]:
    if with_domains or tables.domains != {domain_of(key) for key in tables.aliases}:
        yield _dumped({"domains": sorted(tables.domains)})
    if tables.settings is not None:
        row = toml_attributes(tables.settings, "address")
        if row.get(HEADER_RULES) == rule_numbers(tables.senders):
            del row[HEADER_RULES]  # it follows from the rules in the file
        yield _dumped({"settings": row})
    if tables.whitelists:
        yield _dumped(
            {
                "whitelists": {
                    name: list(tables.whitelists[key][LINES])
                    for name, key in WHITELISTS.items()
                    if key in tables.whitelists
                }
            }
        )
    for key in sorted(tables.aliases, key=in_order):
        yield _dumped({"aliases": {key: toml_attributes(tables.aliases[key], "address")}})
    for sender, scope in sorted(tables.senders, key=lambda key: (key[1], key[0])):
        row = toml_attributes(tables.senders[sender, scope], "sender", "scope")
        if not is_header_rule(sender):
            yield "[[senders]]\n" + _dumped({"sender": sender, "scope": scope, **row})
    for sender, scope in sorted(filter(lambda key: is_header_rule(key[0]), tables.senders)):
        number = int(sender.removeprefix(HEADER_RULE))
        row = {"number": number, "scope": scope, **toml_attributes(tables.senders[sender, scope], "sender", "scope")}
        yield "[[rules]]\n" + "".join(_attribute(name, value) for name, value in row.items())


def _attribute(name: str, value: Any) -> str:
    """`name = value`, with a table in one line, as conditions are written."""
    if not isinstance(value, dict):
        return _dumped({name: value})
    inner = (_in_one_line(_dumped({one: value[one]})) for one in value)
    (key,) = tomli_w.dumps({name: 0}).split(" = ")[:1]
    return f"{key} = {{ {', '.join(inner)} }}\n"


def _in_one_line(dumped: str) -> str:
    """TOML without the line breaks of lists, the only ones that it has."""
    return dumped.strip().replace("[\n    ", "[").replace(",\n]", "]").replace(",\n    ", ", ")


def _dumped(piece: Mapping[str, Any]) -> str:
    """TOML with every unprintable character escaped. They occur only in quotes, where that is the same text; tomli_w
    escapes fewer, and the rest could control the terminal of a reader."""
    text = tomli_w.dumps(piece)
    if text.replace("\n", "").isprintable():
        return text
    return "".join(one if one.isprintable() or one == "\n" else _spelled(one) for one in text)


def _spelled(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= _BASIC_PLANE else f"\\U{code:08x}"


def toml_attributes(row: Row, *key_names: str) -> dict[str, Any]:
    """A row's attributes in TOML's types, by name, without its key and bookkeeping. Raises ValueError as `in_toml`."""
    left_out = {*key_names, *BOOKKEEPING}
    return {name: in_toml(row[name]) for name in sorted(row) if name not in left_out and row[name] is not None}


def in_toml(value: Any) -> Any:
    """A live attribute's value in TOML's types. Raises ValueError for a type that TOML does not have."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, (set, frozenset)):
        return [in_toml(item) for item in sorted(value)]
    if isinstance(value, Mapping):
        return {name: in_toml(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [in_toml(item) for item in value]
    if not isinstance(value, (str, int, float)):
        raise ValueError(f"a tables file cannot hold {value!r}")
    return value
