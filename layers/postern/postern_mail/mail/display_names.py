"""Display names in headers of ours: they must not look like an address, or like our own words.

A name with an address in it costs points at mailboxes that judge by rspamd (FROM_NEQ_DISPLAY_NAME, SPOOF_DISPLAY_NAME),
so `@` is written ` at `. Brackets around an address, and `via` before our domain, are the form of our own From: in an
author's name brackets become square, and `via` is removed.
"""

import re
import unicodedata

_AT = re.compile(r"\s*@+\s*")
_ADDRESS = re.compile(r"@|\bat\s+\S+\.\S")
_WIDE = re.compile(
    "[\N{FULLWIDTH COMMERCIAL AT}\N{SMALL COMMERCIAL AT}\N{FULLWIDTH LEFT PARENTHESIS}"
    "\N{FULLWIDTH RIGHT PARENTHESIS}\N{SMALL LEFT PARENTHESIS}\N{SMALL RIGHT PARENTHESIS}]"
)
_SQUARE = str.maketrans("()", "[]")
_VIA = re.compile(r"\s*\bvia\s+[^\s()@\[\]]+\.[^\s()@\[\]]+", re.IGNORECASE)


def plain(name: str) -> str:
    """The name without anything that a program could read as an address."""
    return _AT.sub(" at ", _folded(name)).strip()


def neutral(name: str, domain: str = "") -> str:
    """An author's name, changed so that it does not imitate a From that we write, for this domain if one is given."""
    folded = _folded(name)
    if holds_address(folded):
        folded = _VIA.sub("", folded).translate(_SQUARE)
    if domain:
        folded = re.sub(rf"\s*\bvia\s+{re.escape(domain)}(?![\w-])\.?", "", folded, flags=re.IGNORECASE)
    return plain(folded)


def holds_address(name: str) -> bool:
    """Whether a reader may take the name, or a part of it, for an address."""
    return _ADDRESS.search(_folded(name)) is not None


def _folded(name: str) -> str:
    """The name, with plain characters in place of wide ones that look like those of an address or of our form."""
    return unicodedata.normalize("NFKC", name) if _WIDE.search(name) else name
