"""`make demo`: real messages over SMTP, judged by what SMTP answers and what the Maildirs hold."""

import re
import shutil
from email import message_from_bytes
from pathlib import Path

from postern_command.tables.file import TablesFile

from ..function import ROOT
from ..receiving.authentication import GTUBE
from ..receiving.zone import Zone
from ..system import Emulator
from . import first_day, stories
from .judge import Judgement, judge
from .letters import DOMAIN, letters

_DIAGNOSIS = re.compile(rb"^Diagnostic-Code: (?:smtp|x-\S+); *(.*)", re.MULTILINE | re.IGNORECASE)
_SHOWN = ("From", "Reply-To", "To", "Subject", "References", "Message-ID")
_NEXT = """
Next:
  make local                 the whole system for your own mail program, until Ctrl-C
  emulator/tables.toml       its tables; save them while it runs
  docs/getting-started.md    your own domain, in six commands"""

RETRY_DELAYS = (0.2, 0.4)  # seconds; Lambda takes 60 and 120


def run(folder: Path) -> int:
    """Send, judge, show. Returns 0 only if everything became what it should."""
    shutil.rmtree(folder, ignore_errors=True)
    zone = Zone.load(ROOT / "emulator" / "zone.toml")
    judgements = []
    with Emulator(DOMAIN, folder, retry_delays=RETRY_DELAYS, zone=zone, first_day=True) as emulator:
        print("The first day, as docs/getting-started.md has it; AWS and DNS are on this machine.\n")
        faults = first_day.begin(emulator, DOMAIN, folder / "first-day")
        print()
        emulator.load(TablesFile.load(ROOT / "emulator" / "tables.toml"))
        print(f"The stack of template.yaml for {DOMAIN}; SMTP on 127.0.0.1 port {emulator.receiving.port}.\n")
        for letter in letters(zone):
            judgements.append(judge(emulator, letter))
            _show(judgements[-1])
        spam = next(one for one in judgements if one.letter.raw.find(GTUBE) > 0)
        faults += stories.tell(emulator, folder, spam)
        print("\n== Is all well?\n")
        faults += first_day.run(emulator, folder, print, 0, "doctor")
    _show_before_and_after(judgements[0])
    print(f"\nMaildirs: {emulator.maildirs.folder}\nLog of the function: {emulator.function_log}")
    right = sum(not judgement.faults for judgement in judgements)
    print(f"\n{right} of {len(judgements)} messages became what they should.")
    for fault in faults:
        print(f"WRONG {fault}")
    print(_NEXT)
    return 0 if judgements and right == len(judgements) and not faults else 1


def _show(judgement: Judgement) -> None:
    letter = judgement.letter
    print(f"{'WRONG' if judgement.faults else 'ok':5} {letter.title} -> {letter.recipient}")
    print(f"      SMTP said     {judgement.reply}")
    print(f"      Maildirs got  {', '.join(judgement.delivered) or 'nothing'}")
    for said in _DIAGNOSIS.findall(judgement.delivered[letter.sender]) if letter.answered else ():
        print(f"      Betsy is told {said.decode('ascii').strip()}")
    for reason in judgement.reasons:
        print(f"      ledger says   {reason}")
    for fault in judgement.faults:
        print(f"      WRONG         {fault}")


def _show_before_and_after(judgement: Judgement) -> None:
    after = next(iter(judgement.delivered.values()), b"")
    for title, raw in (("as it was sent", judgement.letter.raw), ("as it arrived", after)):
        print(f"\nThe first message {title}:")
        header, _, body = raw.partition(b"\r\n\r\n")
        message = message_from_bytes(header)
        for name in _SHOWN:
            print(f"  | {name}: {' '.join(message[name].split())}" if message[name] else f"  | ({name} is not there)")
        for line in ["", *body.decode("utf-8", "replace").splitlines()]:
            print(f"  | {line}")
