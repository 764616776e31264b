"""The two answers: the mail domain, and who hears of trouble."""

from collections.abc import Callable, Mapping

import typer
from postern_mail.mail.visible import visible

from ..status import wrong_use
from . import values
from .parameters import Parameter

_TRIES = 3  # at each question


class Answers:
    """What was typed as options, or is asked for."""

    def __init__(self, domain: str | None, owner: str | None, *, ask: bool) -> None:
        self._given = {"--domain": domain, "--owner": owner}
        self._ask = ask

    def to(self, known: Mapping[str, str], parameters: Mapping[str, Parameter]) -> dict[str, str]:
        """Domain and owner where an option says them, or the values that are known do not. Ends with status 2 if they
        cannot be meant."""
        chosen = {}
        if self._given["--domain"] is not None or not values.domains(known):
            domain = self._get("--domain", "The mail domain, as example.com", values.domain)
            chosen[values.domain_parameter(parameters)] = domain
        ours = values.domains({**known, **chosen})
        if self._given["--owner"] is not None or not values.owner(known):
            question = "Your mailbox outside of it, which hears of trouble"
            owner = self._get("--owner", question, lambda typed: values.address(typed, ours))
            chosen[values.owner_parameter(parameters)] = owner
        return chosen

    def _get(self, option: str, question: str, read: Callable[[str], str]) -> str:
        """An answer that can be read. Ends with status 2 after three that cannot, or where nothing may be asked."""
        given = self._given[option]
        asks = given is None and self._ask
        for left in reversed(range(_TRIES if asks else 1)):
            try:
                return read(str(typer.prompt(question, err=True)) if asks else given or "")
            except ValueError as fault:
                if not left:
                    wrong_use(f"{option}: {fault}")
                typer.echo(f"  {visible(str(fault))}", err=True)
        raise AssertionError("the last try ends above")
