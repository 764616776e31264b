"""The two answers of `postern init`: the mail domain, and the owner's address."""

from collections.abc import Callable, Mapping

import typer
from postern_mail.mail.visible import visible

from ..status import usage_error
from . import values
from .parameters import Parameter

_TRIES = 3  # at each question


class Answers:
    """The answers, from options or by asking."""

    def __init__(self, domain: str | None, owner: str | None, *, ask: bool) -> None:
        self._given = {"--domain": domain, "--owner": owner}
        self._ask = ask

    def to(self, known: Mapping[str, str], parameters: Mapping[str, Parameter]) -> dict[str, str]:
        """The domain and the owner, if an option gives them or the known values lack them. Ends with status 2 if one is
        not valid."""
        chosen = {}
        if self._given["--domain"] is not None or not values.domains(known):
            domain = self._get("--domain", "Your mail domain, such as example.com", values.domain)
            chosen[values.domain_parameter(parameters)] = domain
        ours = values.domains({**known, **chosen})
        if self._given["--owner"] is not None or not values.owner(known):
            question = "Your mailbox outside that domain, for alarms"
            owner = self._get("--owner", question, lambda typed: values.address(typed, ours))
            chosen[values.owner_parameter(parameters)] = owner
        return chosen

    def _get(self, option: str, question: str, read: Callable[[str], str]) -> str:
        """A valid answer. Ends with status 2 after three that are not valid, or after one if nothing may be asked."""
        given = self._given[option]
        asks = given is None and self._ask
        for left in reversed(range(_TRIES if asks else 1)):
            try:
                return read(str(typer.prompt(question, err=True)) if asks else given or "")
            except ValueError as fault:
                if not left:
                    usage_error(f"{option}: {fault}")
                typer.echo(f"  {visible(str(fault))}", err=True)
        raise AssertionError("the last try ends above")
