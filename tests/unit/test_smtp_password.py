"""The derivation, against known results and against botocore's own chain of HMACs."""

import base64

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from postern_mail.relay.smtp_password import smtp_password

KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # AWS's documentation uses it everywhere


@pytest.mark.parametrize(
    ("region", "password"),
    [
        ("us-east-1", "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9"),
        ("us-west-2", "BF2PynzbSCAjX08zhZZnP/kW+T9P5zs/1Er0pi5vTEmd"),
        ("eu-west-1", "BMW5RDrXmmVs0lV7GpI4oLkHXpZ4stDsk6q91z1g38Pk"),
    ],
)
def test_known_passwords(region: str, password: str) -> None:
    assert password == smtp_password(KEY, region)


@pytest.mark.parametrize("region", ["eu-central-1", "ap-southeast-2", "us-gov-west-1"])
def test_it_is_a_signature_of_version_4_over_a_fixed_text(region: str) -> None:
    """The last HMAC signs "SendRawEmail" where a request's would sign the string to sign."""
    signer = SigV4Auth(Credentials("AKIA", KEY), "ses", region)
    request = AWSRequest()
    request.context["timestamp"] = "11111111T000000Z"
    signature = bytes.fromhex(signer.signature("SendRawEmail", request))
    assert base64.b64encode(b"\x04" + signature).decode() == smtp_password(KEY, region)
