"""Examines screening: lists that do not count, why Spamhaus is not asked, and overdue grey holds."""

import time
from collections.abc import Iterator
from shlex import quote
from typing import TYPE_CHECKING

from ...examination import Finding, Grade
from ...held import overdue
from ...mail.dns_lists import KEYED, sites
from ...mail.settings import BadSettings, Settings
from .. import clients
from ..forward.list_book import DynamoListBook
from ..stack_keys import DqsKey

if TYPE_CHECKING:
    from .examinations import Site


def lists(where: "Site") -> Iterator[Finding]:
    """DNS lists in the settings that do not count."""
    try:
        settings = Settings.from_row(next(where.rows.scan("settings"), None))
    except BadSettings:
        return  # the examination of rows reports it
    listed = (*sites(settings.dnsbl_sites), *sites(settings.rhsbl_sites))
    if not listed:
        return
    dynamodb, zones = clients.dynamodb(), {one.zone for one in listed}
    for zone, why in DynamoListBook(dynamodb, where["ledger"]).lists().silent.items():
        if zone in zones:
            yield Finding(
                f"{zone} does not count: {why}", "it will count again when it recovers", Grade.WARNING, about=zone
            )
    keyed = sorted({one.zone for one in listed if one.keyed})
    if keyed and not DqsKey(dynamodb, where["ledger"])():
        todo = "`postern settings set dqs_key -` with the key from Spamhaus's account page"
        yield Finding(f"{', '.join(keyed)} not asked: {KEYED}", todo, Grade.WARNING, about="dqs_key")


def held(where: "Site") -> Iterator[Finding]:
    """Messages whose hold ended half an hour ago without being woken."""
    for message_id, recipients in overdue(where.watch_state, time.time()).items():
        todo = f"the hourly check wakes it; `postern replay {quote(message_id)}` does so now"
        yield Finding(f"{message_id} for {', '.join(recipients)}", todo, Grade.WARNING, about=message_id)
