"""The password of SES's SMTP service, derived from the secret access key of an IAM user.

docs.aws.amazon.com/ses, "Obtaining Amazon SES SMTP credentials": a chain of HMACs as in signature
version 4, with a date that never changes. The user name is the access key's id.
"""

import base64
import hashlib
import hmac

_DATE = "11111111"
_SCOPE = ("ses", "aws4_request", "SendRawEmail")
_VERSION = b"\x04"


def smtp_password(secret_access_key: str, region: str) -> str:
    """The password for this region's endpoint, 44 characters; it works in no other region."""
    key = ("AWS4" + secret_access_key).encode()
    for part in (_DATE, region, *_SCOPE):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return base64.b64encode(_VERSION + key).decode()
