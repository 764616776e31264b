"""The owner of a domain, roughly: all names below one that anyone can register count as one owner's.

The public suffix list is not used: it is large, and changes. If the guess is wrong, several owners count as one, such
as all customers of a hosting company with names below its own.
"""

_COUNTRY = 2  # letters
_SHORT = 3  # letters of a second level like co.uk, com.au


def owner_of(domain: str) -> str:
    """The part of a domain that identifies its owner, lower case: `sender.example` for `mail.sender.example`."""
    labels = domain.lower().rstrip(".").split(".")
    below_country = len(labels) > _COUNTRY and len(labels[-1]) == _COUNTRY and len(labels[-2]) <= _SHORT
    return ".".join(labels[-3 if below_country else -2 :])
