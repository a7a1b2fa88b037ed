"""An S3-compatible store on loopback: one bucket, addressed by path, that checks signatures and hangs when told to.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
"""

import hashlib
import hmac
import re
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, quote, urlsplit
from xml.sax.saxutils import escape

BUCKET, REGION, ACCESS_KEY, SECRET_KEY = "pictures", "af-south-1", "fake-access", "fake-secret"
_AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})")


class FakeS3:
    """A context manager; `url` is the endpoint, `objects` what is stored: content, headers and time by key.

    With `status` set, every request is answered with it; while `is_hanging`, none is answered.
    """

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, dict[str, str], datetime]] = {}
        self.calls: list[str] = []
        self.status = 0
        self.is_hanging = False
        self.closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.fake = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a hanging request must not hang the test's end
    fake: FakeS3

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: a client that gives up is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent: the log belongs to the code under test."""

    def _serve(self) -> None:
        fake = self.server.fake
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        address = urlsplit(self.path)
        fake.calls.append(self.command)
        if fake.is_hanging:
            fake.closing.wait(60)
            self.close_connection = True
        elif fake.status:
            self._error(fake.status, "InternalError")
        elif not self._is_signed(body):
            self._error(403, "SignatureDoesNotMatch")
        elif address.path.rstrip("/") == f"/{BUCKET}":
            self._list(dict(parse_qsl(address.query)))
        elif address.path.startswith(f"/{BUCKET}/"):
            self._object(address.path.removeprefix(f"/{BUCKET}/"), body)
        else:
            self._error(404, "NoSuchBucket")

    do_GET = do_HEAD = do_PUT = do_DELETE = _serve

    def _object(self, key: str, body: bytes) -> None:
        objects = self.server.fake.objects
        if self.command == "PUT":
            objects[key] = (body, dict(self.headers), datetime.now(UTC))
            self._reply(200, b"", {"ETag": '"x"'})
        elif self.command == "DELETE":
            objects.pop(key, None)
            self._reply(204, b"", {})
        elif key in objects:
            content, _, modified_at = objects[key]
            self._reply(200, content, {"ETag": '"x"', "Last-Modified": f"{modified_at:%a, %d %b %Y %H:%M:%S GMT}"})
        else:
            self._error(404, "NoSuchKey")

    def _list(self, query: dict[str, str]) -> None:
        """ListObjectsV2, three keys a page, so that every test pages."""
        after = query.get("continuation-token") or query.get("start-after", "")
        keys = sorted(
            key for key in self.server.fake.objects if key > after and key.startswith(query.get("prefix", ""))
        )
        page, is_more = keys[:3], len(keys) > 3
        contents = "".join(self._entry(key) for key in page)
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if is_more else ""
        text = (
            f"<ListBucketResult><Name>{BUCKET}</Name><KeyCount>{len(page)}</KeyCount>"
            f"<IsTruncated>{str(is_more).lower()}</IsTruncated>{token}{contents}</ListBucketResult>"
        )
        self._reply(200, text.encode(), {"Content-Type": "application/xml"})

    def _entry(self, key: str) -> str:
        content, _, modified_at = self.server.fake.objects[key]
        return (
            f"<Contents><Key>{escape(key)}</Key><Size>{len(content)}</Size><ETag>x</ETag>"
            f"<LastModified>{modified_at:%Y-%m-%dT%H:%M:%S.000Z}</LastModified></Contents>"
        )

    def _error(self, status: int, code: str) -> None:
        self._reply(status, f"<Error><Code>{code}</Code></Error>".encode(), {"Content-Type": "application/xml"})

    def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _is_signed(self, body: bytes) -> bool:
        """Signature version 4, made again from what arrived."""
        match = _AUTHORIZATION.fullmatch(self.headers.get("Authorization", ""))
        if match is None:
            return False
        credential, names, signature = match.groups()
        key, day, *scope = credential.split("/")
        digest = self.headers.get("x-amz-content-sha256", "")
        if key != ACCESS_KEY or scope != [REGION, "s3", "aws4_request"]:
            return False
        if digest not in ("UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest()):
            return False
        request = self._canonical_request(names, digest)
        hashed = hashlib.sha256(request.encode()).hexdigest()
        words = ["AWS4-HMAC-SHA256", self.headers["x-amz-date"], "/".join([day, *scope]), hashed]
        secret = f"AWS4{SECRET_KEY}".encode()
        for part in (day, *scope):
            secret = hmac.digest(secret, part.encode(), "sha256")
        return hmac.compare_digest(hmac.new(secret, "\n".join(words).encode(), "sha256").hexdigest(), signature)

    def _canonical_request(self, names: str, digest: str) -> str:
        address = urlsplit(self.path)
        pairs = sorted(parse_qsl(address.query, keep_blank_values=True))
        query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs)
        headers = "".join(f"{name}:{self.headers[name].strip()}\n" for name in names.split(";"))
        return "\n".join([self.command, address.path, query, headers, names, digest])
