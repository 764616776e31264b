"""New aliases for a password manager: a request in, an answer in addy.io's form out (mail.addy).

A token creates new names in one domain, with the destinations of the token's row and up to its number a day. It can
neither change nor show existing aliases.
"""

from collections.abc import Collection
from typing import Protocol

from .mail import addy
from .mail.address import spellings
from .mail.addy import Answer, Wish
from .mail.days import formatted
from .mail.new_names import CUSTOM, made
from .mail.patterns import Pattern
from .mail.records import dataclass
from .mail.rows import MADE_BY
from .mail.settings import KEY as SETTINGS
from .mail.settings import Settings
from .mail.token import Choose, Token, key_of
from .ports.clock import Clock
from .ports.tokens import TokenBook

_TRIES = 5  # random names tried until one is free, out of at least 2 ** 26


class AliasLog(Protocol):
    """Logs what the API did."""

    def alias_made(self, address: str, made_by: str) -> None:
        """A token made an alias."""
        ...


@dataclass(frozen=True, slots=True)
class AliasApi:
    """Answers requests. `choose` picks unpredictably."""

    book: TokenBook
    own_domains: Collection[str]
    clock: Clock
    choose: Choose
    log: AliasLog

    def answer(self, method: str, path: str, authorization: str, body: str) -> Answer:
        """The answer to one request; a caller without a valid token learns only that. Raises Temporary, BadRow."""
        key = key_of(addy.bearer(authorization))
        row = self.book.token(key) if key else None
        if key is None or row is None:
            return addy.UNAUTHENTICATED
        token = Token.from_row(key, row)
        match method, f"/{path.strip('/')}":
            case "POST", addy.ALIASES:
                return self._make(token, body)
            case "GET", addy.ALIASES:
                return addy.no_aliases()
            case "GET", addy.RECIPIENTS:
                return addy.no_recipients()
            case "GET", addy.DOMAINS:
                return addy.domains(token)
            case "GET", addy.DETAILS:
                return addy.details(token)
            case _:
                return addy.NOT_FOUND

    def _make(self, token: Token, body: str) -> Answer:
        if token.domain not in self.own_domains:
            return addy.forbidden(f"{token.domain} is not a domain of this stack any more")
        wish = addy.wish(body, token)
        if isinstance(wish, Answer):
            return wish
        now = self.clock.now()
        # Counted before the name is looked up, so that probing for existing names uses up the token's daily number.
        if not self.book.count(token.key, formatted(now, "%Y-%m-%d"), token.daily):
            return addy.TOO_MANY
        for _ in range(1 if wish.form == CUSTOM else _TRIES):
            local = wish.local or made(wish.form, self.choose)
            if self._is_free(local, token.domain) and self.book.make(_row(local, wish, token, now)):
                address = f"{local}@{token.domain}"
                self.log.alias_made(address, token.made_by)
                return addy.made(address, wish.note, token, now)
        return addy.refused({"local_part" if wish.form == CUSTOM else "format": addy.TAKEN})

    def _is_free(self, local: str, domain: str) -> bool:
        """Whether a name is free: no row in another spelling and no pattern matches it, and no reply address begins
        with it. A catch-all may match."""
        name, whole = spellings(f"{local}@{domain}"), spellings(f"@{domain}")
        rows = self.book.rows_of([*name, *whole, SETTINGS])
        reply_name = str(rows.get(SETTINGS, {}).get("reply_local_part") or Settings().reply_local_part)
        if any(one in rows for one in name) or local == reply_name.lower():
            return False
        of_domain = next((rows[one] for one in whole if one in rows), {})
        patterns = map(Pattern.from_item, of_domain.get("patterns") or ())
        return not any(one.compiled.fullmatch(local) for one in patterns)


def _row(local: str, wish: Wish, token: Token, now: float) -> dict[str, object]:
    stamp = {MADE_BY: token.made_by, "updated_at": int(now), "updated_by": token.made_by}
    note = {"note": wish.note} if wish.note else {}
    return {"address": f"{local}@{token.domain}", "destinations": list(token.destinations), **note, **stamp}
