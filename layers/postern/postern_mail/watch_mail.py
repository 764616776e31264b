"""The hourly watch's mail: what is new and what is over, for people who do not run mail servers. SNS sends it as plain
text, so it arrives even while SES has stopped our mail.

Strangers' words stand in quotation marks, on one line, cut to a length, and no mail program makes a link of them: dots
and colons that could be part of one are in brackets.
"""

import re
from collections.abc import Iterator

from .mail.days import formatted
from .mail.visible import visible
from .telling import New, Section, Telling

MAX_SUBJECT = 99  # characters of ASCII: docs.aws.amazon.com/sns, API reference, "Publish"
MAX_BODY = 200_000  # octets; SNS takes 262,144
_MAX_WORDS = 200  # characters of a stranger's words
_MAX_LINE = 500
_COMMAND = re.compile(r"`(postern [^`]*)`")
_LINK = re.compile(r"(?<=\w)[.:@](?=[^\W\d])|:(?=//)")  # not those of a status such as 5.1.1


def subject(telling: Telling, domain: str) -> str:
    """One line of at most 99 characters."""
    new = sum(len(one.new) for one in telling.sections)
    parts = [f"{_counted(new, 'thing')} to look at"] if new else []
    parts += [f"{_counted(len(telling.over), 'thing')} over"] if telling.over else []
    about = f"Mail of {domain}"
    return f"{about[: MAX_SUBJECT - 40]}: {', '.join(parts)}"


def body(telling: Telling, domain: str, stack: str) -> str:
    """The text, with whole commands between backticks."""
    text = "\n".join(_lines(telling, domain, stack)) + "\n"
    if len(text.encode()) <= MAX_BODY:
        return text
    kept = text.encode()[:MAX_BODY].decode("utf-8", "ignore").rpartition("\n")[0]
    return f"{kept}\n\nThere is more: `postern doctor --stack {stack}`\n"


def _lines(telling: Telling, domain: str, stack: str) -> Iterator[str]:
    yield f"This is the hourly check of the mail of {domain}."
    for section in telling.sections:
        yield ""
        yield from _new(section, stack)
    if telling.over:
        yield ""
        yield "RESOLVED, nothing is left to do:"
        for name, known in telling.over:
            yield f"  - {name}: {plain(known.seen)} (since {_time(known.since)})"
    yield ""
    if telling.still:
        yield f"Told before and unchanged: {_counted(telling.still, 'thing')}."
    yield f"Everything that is wrong now: `postern doctor --stack {stack}`"
    yield "You are told of each thing once, and once more when it is resolved."


def _new(section: Section, stack: str) -> Iterator[str]:
    yield f"NEW: {section.name}"
    yield f"  {section.means}"
    for one in section.new:
        yield f"  - {_seen(one)}"
        if one.finding.todo:
            yield f"    What to do: {_with_stack(plain(one.finding.todo), stack)}"
    if section.more:
        yield "  - and more"


def _seen(new: New) -> str:
    words = _LINK.sub(lambda one: f"[{one[0]}]", plain(new.finding.quoted)[:_MAX_WORDS].replace('"', "'"))
    said = f', because of: "{words}"' if words else ""
    at = _time(new.since)
    since = "" if at.removesuffix(" UTC") in new.finding.seen or "since" in new.finding.seen else f" (since {at})"
    return f"{plain(new.finding.seen)}{since}{said}"


def plain(text: str) -> str:
    """The text on one line, without control characters."""
    return visible(" ".join(text.split()))[:_MAX_LINE]


def _with_stack(text: str, stack: str) -> str:
    return _COMMAND.sub(rf"`\1 --stack {stack}`", text)


def _time(at: float) -> str:
    return formatted(at, "%Y-%m-%d %H:%M UTC")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
