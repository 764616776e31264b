"""The instance metadata service (IMDSv2) on this machine, for programs that run with an instance's role."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROLE = {"AccessKeyId": "ASIAROLE", "SecretAccessKey": "role-secret", "Token": "role-token", "Code": "Success"}
_CREDENTIALS = "/latest/meta-data/iam/security-credentials/"


@dataclass
class InstanceMetadata:
    """A started one. Without `role`, the instance has none, and `without_role` so many requests find none yet.
    `asked` has the paths, in order."""

    role: str = "relay"
    without_role: int = 0
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        handler = type("Handler", (self.answers(),), {"metadata": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def answers(self) -> "type[MetadataHandler]":
        """What answers."""
        return MetadataHandler

    @property
    def endpoint(self) -> str:
        """What AWS_EC2_METADATA_SERVICE_ENDPOINT is set to."""
        return f"http://127.0.0.1:{self._http.server_port}"

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()


class MetadataHandler(BaseHTTPRequestHandler):
    """IMDSv2: a token by PUT, and then what is asked for with it."""

    metadata: InstanceMetadata

    def do_PUT(self) -> None:
        wanted = self.path == "/latest/api/token" and self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
        self.answer(200 if wanted else 400, "the-token")

    def do_GET(self) -> None:
        self.metadata.asked.append(self.path)
        role = self.metadata.role
        if self.headers["X-aws-ec2-metadata-token"] != "the-token":
            self.answer(401, "")
        elif self.metadata.without_role:
            self.metadata.without_role -= 1
            self.answer(404, "")
        elif role and self.path == _CREDENTIALS:
            self.answer(200, role)
        elif role and self.path == _CREDENTIALS + role:
            self.answer(200, json.dumps(ROLE))
        else:
            self.answer(404, "")

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
