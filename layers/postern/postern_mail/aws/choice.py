"""Chooses the clients for a message: our own, or boto3's if the setting or the environment requires it."""

import os
from collections.abc import Mapping
from typing import Any

from .http.endpoints import is_known

OWN, BOTO3 = CLIENTS = "own", "boto3"
# Credentials and settings from files, and proxies: our own client does not support them.
_ONLY_BOTO3 = ("aws_config_file", "aws_profile", "aws_default_profile", "http_proxy", "https_proxy", "all_proxy")
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def clients(wanted: str) -> Any:
    """The module with `dynamodb`, `s3` and `ses`; `wanted` is OWN or BOTO3."""
    if wanted == BOTO3 or not does(os.environ):
        from . import clients as boto3s  # noqa: PLC0415 (a third of a second)

        return boto3s
    from .http import clients as own  # noqa: PLC0415 (not when it is boto3)

    return own


def does(environment: Mapping[str, str]) -> bool:
    """Whether our own client supports this environment: it does in Lambda."""
    names = {name.lower() for name, value in environment.items() if value}
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or ""
    given = all(environment.get(name) for name in _CREDENTIALS)
    return given and is_known(region) and not names.intersection(_ONLY_BOTO3)


class Later:
    """A client that is created on first use: most messages need none."""

    def __init__(self, make: Any) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        self.__dict__ |= {"_made": self._make()} if "_made" not in self.__dict__ else {}
        return getattr(self.__dict__["_made"], name)
