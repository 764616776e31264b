"""Secrets Manager's GetSecretValue, in its JSON form."""

import json
from collections.abc import Mapping
from typing import Any

from .connection import Service
from .errors import NoAnswer


class Secrets:
    """The part of boto3's client that reads the stack's secret."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def get_secret_value(self, **request: Any) -> Mapping[str, Any]:
        """`SecretString` among others. Raises as `Service.ask`."""
        header = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "secretsmanager.GetSecretValue"}
        content = self._service.ask(("POST", "/"), header, json.dumps(request).encode("ascii")).content
        try:
            return dict(json.loads(content))
        except (TypeError, ValueError) as error:
            raise NoAnswer("what answered does not speak as Secrets Manager does") from error
