"""The stack's secret, from which each purpose derives a key of its own."""

from . import clients
from .failures import translated


def stack_secret(name: str) -> bytes:
    """Read the secret of this name or ARN. Raises Temporary if it cannot be read."""
    with translated("Secrets Manager GetSecretValue"):
        return str(clients.secrets().get_secret_value(SecretId=name)["SecretString"]).encode()
