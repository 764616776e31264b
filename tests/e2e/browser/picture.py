"""Makes docs/pictures/page.png, which stands on top of README: `python -m tests.e2e.browser.picture`."""

import math
import sys
import time

from postern_command.tables.file import TablesFile
from postern_mail.mail.days import A_DAY
from postern_mail.mail.summaries import day_of

from emulator.receiving.authentication import GTUBE
from emulator.system import Emulator
from tests.builders import ROOT
from tests.e2e.browser.conftest import Served
from tests.e2e.browser.person import Person
from tests.e2e.test_system import Post, message

PICTURE = ROOT / "docs" / "pictures" / "page.png"
MOST = 80 * 1024  # octets
WIDTH, HEIGHT = 1000, 760


def month(emulator: Emulator) -> None:
    """Thirty days as a small domain has them, with less at weekends."""
    now = int(time.time())
    rows = []
    for back in range(1, 30):
        busy = 24 + round(9 * math.sin(back * 1.7)) - (14 if (now // A_DAY - back) % 7 in (2, 3) else 0)
        counts = {"forwarded": busy, "rejected": back * 5 % 7, "quarantined": back % 3, "lost": int(back == 11)}
        rows.append({"message_id": "#summaries", "entry": f"day {day_of(now - back * A_DAY)}", "counts": counts, "folded_at": now})  # fmt: skip
    emulator.cloud.put("LedgerTable", rows)


def main() -> int:
    """Status 1 if the picture is too large to stand in a README."""
    with Emulator("example.com", retry_delays=(0.05, 0.05)) as emulator:
        emulator.load(TablesFile.load(ROOT / "emulator" / "tables.toml"))
        month(emulator)
        post = Post(emulator)
        post.send("info@example.com", raw=message(body=GTUBE))
        post.send("team@example.com")
        emulator.cloud.put(
            "DestinationTable",
            [{"address": "joe@dest.example", "suspended_at": int(time.time()), "reason": "550 5.1.1"}],
        )
        served = Served(emulator)
        try:
            with Person() as person:
                person.do("open", url=served.address)
                person.do("size", width=WIDTH, height=HEIGHT)
                person.do("open", url=f"{served.here}/doctor")
                person.do("open", url=f"{served.here}/")
                size = person.do("picture", path=str(PICTURE))
        finally:
            served.stop()
    print(f"{PICTURE.relative_to(ROOT)}: {size} octets")
    return 1 if size > MOST else 0


if __name__ == "__main__":
    sys.exit(main())
