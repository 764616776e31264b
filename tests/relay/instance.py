"""What an instance of AWS asks over HTTP: its metadata service (IMDSv2), and Secrets Manager, whose requests it signs.

The signature of each request is compared with the one that botocore makes of it.
"""

import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ROLE = {"AccessKeyId": "ASIAROLE", "SecretAccessKey": "role-secret-key", "Token": "role-session-token"}
_ROLES = "/latest/meta-data/iam/security-credentials/"


@dataclass
class Instance:
    """`secret` is the text of the secret; `refusals` are the next answers of Secrets Manager, (status, name)."""

    secret: str = json.dumps({"username": "AKIAFIRST", "password": "first-password"})
    refusals: list[tuple[int, str]] = field(default_factory=list)
    without_role: int = 0  # so many requests find no role yet
    asked: list[str] = field(default_factory=list)

    def start(self) -> None:
        instance = self

        class Handler(_Handler):
            world = instance

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    @property
    def environment(self) -> dict[str, str]:
        url = f"http://127.0.0.1:{self._http.server_port}"
        return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": url, "AWS_ENDPOINT_URL_SECRETS_MANAGER": url}


class _Handler(BaseHTTPRequestHandler):
    world: Instance
    token = "imds-token"

    def do_PUT(self) -> None:
        known = self.path == "/latest/api/token" and self.headers.get("X-aws-ec2-metadata-token-ttl-seconds")
        self._answer(200 if known else 400, self.token)

    def do_GET(self) -> None:
        if self.headers.get("X-aws-ec2-metadata-token") != self.token:
            self._answer(401, "")
        elif self.world.without_role:
            self.world.without_role -= 1
            self._answer(404, "")
        else:
            self._answer(200, "relay-role" if self.path == _ROLES else json.dumps(ROLE))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["X-Amz-Target"] == "secretsmanager.GetSecretValue"
        if self.world.refusals:
            status, name = self.world.refusals.pop(0)
            self._answer(status, json.dumps({"__type": name}))
        elif self.headers["Authorization"] != self._botocores(body):
            self._answer(400, json.dumps({"__type": "InvalidSignatureException"}))
        else:
            self.world.asked.append(json.loads(body)["SecretId"])
            self._answer(200, json.dumps({"SecretString": self.world.secret}))

    def log_message(self, *_: object) -> None:
        """Nothing."""

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

    def _answer(self, status: int, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
