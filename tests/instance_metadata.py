"""The instance metadata service (IMDSv2) on this machine, for programs that run with an instance's role."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROLE = {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "role-secret", "Token": "role-token", "Code": "Success"}
_CREDENTIALS = "/latest/meta-data/iam/security-credentials/"


@dataclass
class InstanceMetadata:
    """A started one. Without `role`, the instance has none. `asked` has the paths, in order."""

    role: str = "relay"
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        service = self

        class Handler(_Handler):
            metadata = service

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def endpoint(self) -> str:
        """What AWS_EC2_METADATA_SERVICE_ENDPOINT is set to."""
        return f"http://127.0.0.1:{self._http.server_port}"

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()


class _Handler(BaseHTTPRequestHandler):
    metadata: InstanceMetadata

    def do_PUT(self) -> None:
        wanted = self.path == "/latest/api/token" and self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
        self._answer(200 if wanted else 400, "the-token")

    def do_GET(self) -> None:
        self.metadata.asked.append(self.path)
        role = self.metadata.role
        if self.headers["X-aws-ec2-metadata-token"] != "the-token":
            self._answer(401, "")
        elif role and self.path == _CREDENTIALS:
            self._answer(200, role)
        elif role and self.path == _CREDENTIALS + role:
            self._answer(200, json.dumps(ROLE))
        else:
            self._answer(404, "")

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())
