"""Text of strangers on its way to a person: in a terminal, in the owner's digest."""


def visible(text: str) -> str:
    """One line in which nothing acts: what is not printable is spelled out, `\\x1b` for an escape, `\\u202e` for what
    turns the direction of reading round. What is printable stays."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
