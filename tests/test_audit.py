"""`make audit` and `make sbom`: what they say and how they end, against a service on loopback."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PINNED = [line.partition("==")[0] for line in (ROOT / "requirements.txt").read_text().splitlines() if "==" in line]

WEAKNESS = {"id": "GHSA-made-up", "summary": "A hole.", "aliases": [], "affected": []}


class Weaknesses(BaseHTTPRequestHandler):
    """Answers as osv.dev does: flask has the weakness that the server was told of."""

    server: "Service"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["package"]["name"]
        self.server.asked.append(asked)
        is_weak = asked == self.server.weak
        body = json.dumps({"vulns": [WEAKNESS]} if is_weak else {}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """The test shows what matters."""


class Service(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Weaknesses)
        self.asked: list[str] = []
        self.weak = ""
        self.address = f"http://127.0.0.1:{self.server_port}/v1/query"


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as server:
        threading.Thread(target=server.serve_forever).start()
        yield server
        server.shutdown()


def make(target: str, *variables: str) -> subprocess.CompletedProcess[str]:
    # Nothing is installed: -o takes what is there for new.
    old = ["-o", ".venv/.installed", "-o", ".venv/.installed-to-run"]
    command = ["make", "--no-print-directory", *old, target, f"PY='{sys.executable}'", *variables]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def audit(address: str) -> subprocess.CompletedProcess[str]:
    return make("audit", f"ARGS=-s osv --osv-url {address}")


def test_every_package_is_asked_for_and_none_is_known_to_be_weak(service: Service) -> None:
    done = audit(service.address)
    assert (done.returncode, done.stdout) == (0, "Nothing is known against any of them.\n")
    assert sorted(service.asked) == sorted(PINNED)


def test_a_known_weakness_fails_and_is_named(service: Service) -> None:
    service.weak = "flask"
    done = audit(service.address)
    assert done.returncode != 0
    assert [line.split()[0] for line in done.stdout.splitlines() if "GHSA-made-up" in line] == ["flask"]
    assert done.stdout.endswith("These have known weaknesses: update them (make requirements), and run the tests.\n")


def test_a_service_that_does_not_answer_fails_in_one_clear_line() -> None:
    done = audit("http://127.0.0.1:9/v1/query")
    assert done.returncode != 0
    [first, second] = done.stdout.splitlines()
    assert first.startswith("Nothing was checked, since the service did not answer: ")
    assert second == "Try again where pypi.org is reachable, or with another service: make audit ARGS='-s osv'"
    assert "Traceback" not in done.stdout + done.stderr


def test_the_list_of_parts_has_every_package_with_its_version(tmp_path: Path) -> None:
    file = tmp_path / "sbom.json"
    done = make("sbom", f"SBOM={file}")
    assert (done.returncode, done.stdout) == (0, f"Written: {file}\n")
    listed = json.loads(file.read_text())
    assert listed["bomFormat"] == "CycloneDX"
    assert sorted(part["name"] for part in listed["components"]) == sorted(PINNED)
    assert [part["name"] for part in listed["components"] if not part.get("version")] == []
