"""The stack's secret, from which each purpose derives a key of its own."""

from typing import Any

from .failures import translated


def stack_secret(client: Any, name: str) -> bytes:
    """Read the secret of this name or ARN by a client of Secrets Manager. Raises Temporary if it cannot be read."""
    with translated("Secrets Manager GetSecretValue"):
        return str(client.get_secret_value(SecretId=name)["SecretString"]).encode()
