"""Where Postfix does something else on purpose of ours: docs/standards.md says so, and tests here hold it."""

from collections.abc import Sequence

from . import ours


def without_pieces_of_literals(keys: Sequence[str]) -> tuple[str, ...]:
    """Postfix takes the dots of `[192.0.2.1]` for those of a domain, and looks up `.2.1]`."""
    return tuple(key for key in keys if "]" not in key or "[" in key)


def without_second_spellings(keys: Sequence[str]) -> tuple[str, ...]:
    """Postfix looks up a local part that needs quotes with them and without; here a row has one spelling."""
    return tuple(dict.fromkeys(found for key in keys if (found := key if "@" not in key else ours.spelled(key))))


def tagged_row_leads_to_itself(table: ours.AliasTable) -> bool:
    """Whether a row `user+tag` leads to itself: local(8) then goes on with the row `user`, here that is the end."""
    return any("+" in key and key in map(str.lower, targets) for key, targets in table.rows.items())


# What docs/tables.md does not take: (action, the code that smtpd answers with, the words of our error).
OUTSIDE_OUR_TABLE = (
    ("550", 250, "means OK in Postfix"),
    ("450", 250, "means OK in Postfix"),
    ("1234", 250, "means OK in Postfix"),
    ("RELAY", 250, "the same as OK"),
    ("permit", 250, "a restriction that accepts"),
    ("permit_auth_destination", 250, "accepts what is for our own domains"),
    ("permit_mynetworks", 250, "as a restriction"),
    ("DEFER now", 450, "try later"),
    ("DEFER_IF_PERMIT now", 450, "try later"),
    ("DEFER_IF_REJECT now", 250, "try later instead of refusing"),
    ("FILTER smtp:[127.0.0.1]:1", 250, "through a content filter"),
    ("reject_unauth_destination", 554, "as a restriction"),
    ("texthash:/nowhere", 451, "the name of a map"),
    ("my_class", 451, "read it as a restriction"),
)
