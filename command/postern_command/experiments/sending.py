"""What SES does with outgoing mail. All of it goes to SES's mailbox simulator, or to a reserved address."""

import base64

from .experiment import Answer, Experiment
from .stage import SIMULATOR, Stage

_LONG = 1200  # bytes in a line; RFC 5321 4.5.3.1.6 allows 998
_MANY = 51  # addresses in the header; SES sends to at most 50
_LARGE = 35 * 1024 * 1024  # bytes: less than 40 MB before base64, more after it
_DOTS = SIMULATOR.replace("@", "..dots@")
_ATTACHED = """MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary=verify\r
"""
_PARTS = """--verify\r
Content-Type: text/plain\r
\r
A test of `postern verify`.\r
--verify\r
Content-Type: application/octet-stream\r
Content-Disposition: attachment; filename=verify.exe\r
\r
nothing that runs\r
--verify--"""


def _attachment(stage: Stage) -> Answer:
    refused = stage.send(SIMULATOR, stage.names.letter("attachment", SIMULATOR, _ATTACHED, _PARTS))
    if refused:
        return Answer(f"SES refuses it with `{refused}`.")
    return Answer("SendEmail accepts a message with verify.exe.")


def _dots(stage: Stage) -> Answer:
    refused = stage.send(_DOTS, stage.names.letter("dots", _DOTS))
    if refused:
        return Answer(f"SES refuses an address with two dots in a row (`{refused}`).")
    return Answer("SES sends to an address with two dots in a row.")


def _long_lines(stage: Stage) -> Answer:
    to = stage.names.address("long")
    body = "x" * _LONG
    refused = stage.send(to, stage.names.letter("long-lines", to, body=body))
    if refused:
        return Answer(f"SES refuses a line of {_LONG} bytes (`{refused}`).")
    found = stage.arrived("long-lines")
    if found is None:
        return Answer(untried=f"SES accepted a line of {_LONG} bytes, but the message did not arrive in time")
    kept = body.encode() in found.content
    return Answer(f"SES sends a line of {_LONG} bytes {'unchanged' if kept else 'broken into shorter ones'}.")


def _header_recipients(stage: Stage) -> Answer:
    many = ",\r\n ".join(f"success+{number}@simulator.amazonses.com" for number in range(_MANY))
    refused = stage.send(SIMULATOR, stage.names.letter("header-recipients", many))
    if refused:
        return Answer(f"addresses in To count: with {_MANY} there and one destination, SES says `{refused}`.")
    return Answer(f"addresses in To do not count: SES accepts {_MANY} there with one destination.")


def _large(stage: Stage) -> Answer:
    line = base64.b64encode(b"\0" * 57).decode() + "\r\n"
    body = line * (_LARGE // len(line))
    refused = stage.send(SIMULATOR, stage.names.letter("large", SIMULATOR, body=body))
    if refused:
        return Answer(f"the limit applies after base64: SES refuses 35 MiB (`{refused}`).")
    return Answer("the limit applies before base64: SES accepts 35 MiB, which is 47 MiB in base64.")


SENDING = (
    Experiment(
        "attachment",
        "How SES words a refused attachment",
        "one message with verify.exe to SES's mailbox simulator",
        "SES's answer",
        0.0002,
        run=_attachment,
    ),
    Experiment(
        "dots",
        "Two dots in a local part",
        "one message to success..dots@ SES's mailbox simulator",
        "whether SES accepts it",
        0.0002,
        run=_dots,
    ),
    Experiment(
        "long-lines",
        "Lines over 998 octets",
        f"one message with a line of {_LONG} bytes to a reserved address",
        "whether SES accepts it, and whether the line arrives whole",
        0.0003,
        run=_long_lines,
    ),
    Experiment(
        "header-recipients",
        "Header To and Cc towards SES's 50 recipients",
        f"one message to SES's mailbox simulator, with {_MANY} of its addresses in To",
        "whether SES accepts it",
        0.0002,
        run=_header_recipients,
    ),
    Experiment(
        "large",
        "40 MB, before or after base64",
        "one message of 35 MiB to SES's mailbox simulator",
        "whether SES accepts it",
        0.0043,
        run=_large,
    ),
)
