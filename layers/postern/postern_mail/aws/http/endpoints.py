"""The endpoint of a service, as botocore finds it: the environment's, else the region's."""

from collections.abc import Mapping

_HOSTS = {"s3": "s3", "dynamodb": "dynamodb", "sesv2": "email"}
SIGNED_AS = {"s3": "s3", "dynamodb": "dynamodb", "sesv2": "ses"}
_DUAL_S3 = "s3{fips}.dualstack.{region}.amazonaws.com"
# Of the partition `aws`; other partitions have other domains.
_REGIONS = (
    "af-", "ap-", "ca-", "eu-central-", "eu-north-", "eu-south-", "eu-west-", "il-", "me-", "mx-", "sa-", "us-east-",
    "us-west-",
)  # fmt: skip
# The services' names in the SDKs' AWS_ENDPOINT_URL_*.
_VARIABLES = {"sesv2": "SESV2", "s3": "S3", "dynamodb": "DYNAMODB"}


class NoEndpoint(ValueError):
    """The region is in a partition unknown here; boto3 knows it."""


def is_known(region: str) -> bool:
    """Whether the endpoints of this region are known here."""
    return region.startswith(_REGIONS)


def endpoint(service: str, environment: Mapping[str, str]) -> str:
    """The URL without a final slash. Raises NoEndpoint.

    `AWS_ENDPOINT_URL_*`, FIPS and dual-stack by the variables of the AWS SDKs (docs.aws.amazon.com/sdkref).
    """
    if not _on("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", environment):
        given = environment.get(f"AWS_ENDPOINT_URL_{_VARIABLES[service]}") or environment.get("AWS_ENDPOINT_URL")
        if given:
            return given.rstrip("/")
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or ""
    if not is_known(region):
        raise NoEndpoint(f"no endpoint of {service} is known for the region {region!r}")
    fips = "-fips" if _on("AWS_USE_FIPS_ENDPOINT", environment) else ""
    if not _on("AWS_USE_DUALSTACK_ENDPOINT", environment):
        return f"https://{_HOSTS[service]}{fips}.{region}.amazonaws.com"
    if service == "s3":
        return f"https://{_DUAL_S3.format(fips=fips, region=region)}"
    return f"https://{_HOSTS[service]}{fips}.{region}.api.aws"


def _on(name: str, environment: Mapping[str, str]) -> bool:
    return environment.get(name, "").lower() == "true"
