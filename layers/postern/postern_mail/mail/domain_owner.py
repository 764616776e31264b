"""Whose a domain is, roughly: names below one that anybody can buy count as one person's.

The list of public suffixes is not asked: it is large, and changes. Where the guess is wrong, several owners count as
one, such as all customers of a hosting company who have names below its own.
"""

_COUNTRY = 2  # letters
_SHORT = 3  # letters of a second level like co.uk, com.au


def owner_of(domain: str) -> str:
    """The part of a domain that stands for its owner, lower case: `mail.sender.example` is `sender.example`'s."""
    labels = domain.lower().rstrip(".").split(".")
    below_country = len(labels) > _COUNTRY and len(labels[-1]) == _COUNTRY and len(labels[-2]) <= _SHORT
    return ".".join(labels[-3 if below_country else -2 :])
