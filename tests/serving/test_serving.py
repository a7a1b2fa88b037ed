"""The API server's life: how it starts, how it ends when told to, and that nothing of it is left when it is killed."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from flask import Flask

from grocery.probe import find_problem
from tests.e2e.shop import ROOT, free_port
from tests.serving.server import running_server
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e


def test_told_to_end_it_drains_and_finishes_what_is_under_way(
    app: Flask, environ: dict[str, str], tmp_path: Path
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    files = {"LIVENESS_FILE": str(tmp_path / "alive"), "TMPDIR": str(temporary)}
    with (
        running_server(environ, tmp_path / "log", DRAIN_SECONDS="300", TRUSTED_HOSTS="shop.example", **files) as server,
        closing(psycopg2.connect(environ["DATABASE_URL"])) as holder,
        closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as kept,
    ):
        server.wait_until_ready()
        assert find_problem(files["LIVENESS_FILE"]) is None
        assert server.get("/healthz", kept).getheader("Connection") is None

        server.tell()
        wait_until(lambda: server.status("/readyz") == 503, "it says that it is about to end")
        answer = server.get("/healthz", kept)
        assert (answer.status, answer.getheader("Connection")) == (200, "close")
        assert server.get("/products/").status == 400  # by a name that is not trusted

        holder.cursor().execute("LOCK TABLE categories IN ACCESS EXCLUSIVE MODE")
        slow = SlowRequest(server.port)
        wait_until(lambda: waits_for_lock(environ), "the request is under way")
        server.tell()  # once more: it waits for nobody any longer
        wait_until(lambda: server.status("/healthz") is None, "it takes no more requests")
        assert (server.process.poll(), slow.status) == (None, None)
        holder.rollback()
        slow.join(30)
        assert slow.status == 200
        assert server.process.wait(30) == 0
        assert (server.processes(), list(temporary.iterdir())) == ([], [])
    assert "gives no answer" in (find_problem(files["LIVENESS_FILE"]) or "")


class SlowRequest(threading.Thread):
    """GET /categories/, in a thread."""

    def __init__(self, port: int):
        super().__init__()
        self._port = port
        self.status: int | None = None
        self.start()

    def run(self) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)) as connection:
            connection.request("GET", "/categories/", headers={"Host": "shop.example"})
            self.status = connection.getresponse().status


def waits_for_lock(environ: dict[str, str]) -> bool:
    with closing(psycopg2.connect(environ["DATABASE_URL"])) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def test_nothing_is_left_when_parent_or_server_are_killed(app: Flask, environ: dict[str, str], tmp_path: Path) -> None:
    with (
        running_server(environ, tmp_path / "parent.log") as killed,
        running_server(environ, tmp_path / "server.log") as orphaned,
    ):
        killed.wait_until_ready()
        orphaned.wait_until_ready()
        assert len(killed.processes()) == len(orphaned.processes()) == 3

        killed.tell(signal.SIGKILL)
        os.kill(orphaned.granian(), signal.SIGKILL)
        killed.process.wait()
        assert orphaned.process.wait(30) == 128 + signal.SIGKILL
        wait_until(lambda: not killed.processes() + orphaned.processes(), "all processes are gone")
    assert "granian has ended by itself" in orphaned.log


@pytest.mark.prove
@pytest.mark.skipif(
    subprocess.run(["unshare", "-pf", "true"], capture_output=True).returncode != 0
    if shutil.which("unshare")
    else True,
    reason="this user cannot make process namespaces (unshare)",
)
def test_as_the_first_process_of_a_container_it_ends_on_sigterm_and_buries_orphans(
    app: Flask, environ: dict[str, str], tmp_path: Path
) -> None:
    # What /bin/sh leaves behind is given to the first process, which `exec` makes the server.
    script = '(sleep 2 &) ; exec "$@"'
    prefix = ("unshare", "-pf", "--mount-proc", "--kill-child", "/bin/sh", "-c", script, "sh")
    with running_server(environ, tmp_path / "log", *prefix, DRAIN_SECONDS="0") as server:
        server.wait_until_ready()
        first = server.granian()  # of unshare, that is
        wait_until(lambda: "sleep" not in names_of_children(first), "the orphan is buried")
        os.kill(first, signal.SIGTERM)
        assert server.process.wait(40) == 0
    assert "the server has stopped" in server.log


@pytest.mark.prove
def test_told_to_end_while_it_starts_it_ends_as_soon_as_it_has_started(
    app: Flask, environ: dict[str, str], tmp_path: Path
) -> None:
    with running_server(environ, tmp_path / "log", DRAIN_SECONDS="0") as server:
        wait_until(lambda: "Spawning worker-1" in server.log, "its worker starts")
        server.tell()
        assert server.process.wait(60) == 0
    assert "refused to gracefully stop" not in server.log  # which takes 20 s


@pytest.mark.prove
def test_a_drain_file_that_was_left_is_taken_away_and_nohup_is_heeded(
    app: Flask, environ: dict[str, str], tmp_path: Path
) -> None:
    (drain_file := tmp_path / "draining").touch()
    files = {"DRAIN_FILE": str(drain_file), "DRAIN_SECONDS": "300"}
    with running_server(environ, tmp_path / "log", "nohup", **files) as server:
        server.wait_until_ready()
        server.tell(signal.SIGHUP)
        time.sleep(1)
        assert (server.status("/readyz"), drain_file.exists()) == (200, False)
        server.tell()
        wait_until(lambda: server.status("/readyz") == 503, "it says that it is about to end")
        assert drain_file.exists()


def names_of_children(pid: int) -> list[str]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [Path(f"/proc/{child}/comm").read_text().strip() for child in children]


def serve_in_vain(environ: dict[str, str], *arguments: str, **settings: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "grocery.serving", *arguments]
    own = {**os.environ, **environ, **settings}
    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


def test_a_taken_port_a_lost_drain_file_and_wrong_settings_are_said_in_a_line(environ: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = f"127.0.0.1 port {port} cannot be served: Address already in use\n"
        assert serve_in_vain(environ, "--host", "127.0.0.1", "--port", port) == (1, said)
    said = f"The server cannot be started: [Errno 2] No such file or directory: '{(lost := '/nowhere/draining')}'\n"
    assert serve_in_vain(environ, "--host", "127.0.0.1", "--port", str(free_port()), DRAIN_FILE=lost) == (1, said)
    problem = "DRAIN_SECONDS is 'soon'; it must be a whole number from 0 to 300."
    said = f"The settings are not usable:\n  - {problem}\n"
    assert serve_in_vain(environ, DRAIN_SECONDS="soon") == (2, said)
