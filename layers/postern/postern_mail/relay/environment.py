"""The environment of functions/credentials; relay/template.yaml sets all of it."""

from collections.abc import Mapping

from ..errors import Misconfigured
from ..mail.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayEnvironment:
    """The user whose keys are rotated, the secret that holds them, and SES's SMTP service."""

    user: str
    secret: str
    host: str
    region: str
    overlap_hours: float

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "RelayEnvironment":
        """Read the variables. Raises Misconfigured, which names everything missing or wrong at once."""
        variables = {
            "user": "POSTERN_SMTP_USER",
            "secret": "POSTERN_SMTP_SECRET",
            "host": "POSTERN_SMTP_HOST",
            "region": "AWS_REGION",  # Lambda sets it
            "overlap_hours": "POSTERN_OVERLAP_HOURS",
        }
        values = {name: environment.get(variable, "").strip() for name, variable in variables.items()}
        faults = [f"{variables[name]} is not set" for name, value in values.items() if not value]
        try:
            hours = float(values.pop("overlap_hours") or 0)
        except ValueError as fault:
            faults.append(f"POSTERN_OVERLAP_HOURS: {fault}")
        if faults:
            raise Misconfigured("; ".join(faults))
        return cls(**values, overlap_hours=hours)
