"""Encoded-words as a person reads them (RFC 2047). Reading never fails: what cannot be decoded is kept unchanged.

The standard library's decode_header is not used: it escapes the text between encoded-words so that a literal `\\u0041`
there comes back as an A.
"""

import binascii
import re

# The content may hold blanks, which RFC 2047 2 forbids and some programs write.
_ENCODED_WORD = re.compile(r"=\?([^?\s]+)\?([bBqQ])\?(.*?)\?=", re.DOTALL)


def decoded(text: str) -> str:
    """The text with its encoded-words decoded; blanks between two of them are not shown (6.2).

    Adjacent words in one charset are decoded together: some programs split a character between them.
    """
    pieces: list[str] = []
    charset, octets, at = "", b"", 0
    for found in _ENCODED_WORD.finditer(text):
        word = _octets(found[2], found[3])
        if word is None:
            continue
        between = text[at : found.start()]
        if between.strip() or found[1].lower() != charset:
            pieces += [_text(octets, charset), between if between.strip() or not charset else ""]
            octets = b""
        charset, octets, at = found[1].lower(), octets + word, found.end()
    return "".join((*pieces, _text(octets, charset), text[at:]))


def _octets(encoding: str, content: str) -> bytes | None:
    """The content of an encoded-word, None if it is not valid base64."""
    raw = content.encode("utf-8", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(raw, header=True)
    try:
        return binascii.a2b_base64(raw + b"===")  # padding is often missing, and too much does no harm
    except binascii.Error:
        return None


def _text(octets: bytes, charset: str) -> str:
    if not octets:
        return ""
    try:
        return octets.decode(charset.partition("*")[0], "replace")  # a language may follow: RFC 2231 5
    except (LookupError, ValueError):
        return octets.decode("ascii", "replace")  # an unknown charset, or a codec that is not for text
