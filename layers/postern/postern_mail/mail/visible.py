"""Strangers' text on its way to a person: in a terminal, in the owner's digest."""


def visible(text: str) -> str:
    """The text on one line, with unprintable characters spelled out: `\\x1b` for an escape, `\\u202e` for one that
    reverses the reading direction."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
