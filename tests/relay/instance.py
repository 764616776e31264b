"""What an instance of AWS asks over HTTP: its metadata service (IMDSv2), and Secrets Manager, whose requests it signs.

The signature of each request is compared with the one that botocore makes of it.
"""

import json
import re
from dataclasses import dataclass, field

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.instance_metadata import ROLE, InstanceMetadata, MetadataHandler


@dataclass
class Instance(InstanceMetadata):
    """`secret` is the text of the secret; `refusals` are the next answers of Secrets Manager, (status, name);
    `secrets` has the names of those that were asked for."""

    secret: str = json.dumps({"username": "AKIAFIRST", "password": "first-password"})
    refusals: list[tuple[int, str]] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)

    def answers(self) -> type[MetadataHandler]:
        """Both services, on one port."""
        return _Handler

    @property
    def environment(self) -> dict[str, str]:
        """Where a program finds them."""
        return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": self.endpoint, "AWS_ENDPOINT_URL_SECRETS_MANAGER": self.endpoint}


class _Handler(MetadataHandler):
    metadata: Instance

    def do_POST(self) -> None:  # noqa: N802 (http.server asks for it by this name)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["X-Amz-Target"] == "secretsmanager.GetSecretValue"
        if self.metadata.refusals:
            status, name = self.metadata.refusals.pop(0)
            self.answer(status, json.dumps({"__type": name}))
        elif self.headers["Authorization"] != self._botocores(body):
            self.answer(400, json.dumps({"__type": "InvalidSignatureException"}))
        else:
            self.metadata.secrets.append(json.loads(body)["SecretId"])
            self.answer(200, json.dumps({"SecretString": self.metadata.secret}))

    def _botocores(self, body: bytes) -> str:
        found = re.search(
            r"Credential=\w+/\d+/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+)", self.headers["Authorization"]
        )
        assert found
        region, service, names = found.groups()
        header = {name: self.headers[name] for name in names.split(";") if name != "x-amz-date"}
        request = AWSRequest("POST", f"http://{self.headers['Host']}{self.path}", data=body, headers=header)
        request.context["timestamp"] = self.headers["X-Amz-Date"]
        request.headers["X-Amz-Date"] = self.headers["X-Amz-Date"]
        signer = SigV4Auth(Credentials(ROLE["AccessKeyId"], ROLE["SecretAccessKey"]), service, region)
        signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        return f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={names}, Signature={signature}"
