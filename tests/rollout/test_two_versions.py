"""The version before this one serves customers on the tables of this one: a roll-out, and a roll-back, under load."""

import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory

from grocery.health import MIGRATIONS
from tests.e2e.shop import COMMANDS, ROOT
from tests.rollout.fleet import Fleet, Version
from tests.rollout.load import Buyer, customers_at, seen_by
from tests.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.prove, pytest.mark.timeout(900)]

Sql = Callable[..., list[tuple[Any, ...]]]

_WORKERS = ("worker-orders", "worker-notify", "relay")


def git(*arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True)
    if done.returncode:
        pytest.skip(f"needs the history of the program: {done.stderr.decode().strip()}")
    return done.stdout


def commit_before(migration: Path) -> str:
    """The last commit without this migration."""
    added = git("log", "--diff-filter=A", "--format=%H", "--", str(migration.relative_to(ROOT))).decode().split()
    return git("rev-parse", f"{added[-1]}^" if added else "HEAD").decode().strip()


@pytest.fixture(scope="module")
def directory_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program as it was before its newest migration."""
    script = ScriptDirectory(str(MIGRATIONS))
    head = script.get_revision("head")
    assert head
    directory = tmp_path_factory.mktemp("before")
    exported = git("archive", commit_before(Path(head.path)), "grocery", "migrations", "wsgi.py")
    with tarfile.open(fileobj=BytesIO(exported)) as archive:
        archive.extractall(directory, filter="data")
    assert ScriptDirectory(str(directory / "migrations")).get_current_head() == head.down_revision
    return directory


@pytest.fixture
def version_before(directory_before: Path, version: Version) -> Version:
    return Version(directory_before, version.environ)


@contextmanager
def workers_of(version: Version, log: Path) -> Iterator[None]:
    """Workers and the relay of a version, ended as by a roll-out."""
    with ExitStack() as stack:
        output = stack.enter_context(log.open("ab"))
        started = [
            subprocess.Popen(
                [sys.executable, *COMMANDS[name]],
                cwd=version.directory,
                env=dict(version.environ),
                stdout=output,
                stderr=output,
            )
            for name in _WORKERS
        ]
        try:
            yield
        finally:
            for process in started:
                process.terminate()
            codes = [process.wait(60) for process in started]
        assert codes == [0, 0, 0]


def test_roll_out_and_roll_back_between_two_versions_fail_no_request(
    fleet: Fleet,
    version: Version,
    version_before: Version,
    buyers: Sequence[Buyer],
    product_id: int,
    run_sql: Sql,
    tmp_path: Path,
) -> None:
    log = tmp_path / "workers.log"
    for _ in range(2):
        fleet.start(version_before)
    with customers_at(fleet.nginx.port, buyers[:3], product_id) as customers:
        for one in (version_before, version, version_before, version):
            with workers_of(one, log):
                fleet.replace_all(one)
                # These workers do what came in meanwhile, whichever version took the order.
                confirmed = count_confirmed(run_sql)
                wait_until(lambda before=confirmed: count_confirmed(run_sql) > before, "more is confirmed")
    seen = seen_by(customers)
    print(f"{seen.requests} requests, {len(seen.orders)} orders")  # noqa: T201
    assert seen.failures == []
    assert Counter(number for (number,) in run_sql("SELECT id FROM orders")) == Counter(seen.orders)
    with workers_of(version_before, log):
        wait_until(lambda: not run_sql("SELECT 1 FROM orders WHERE status = 'pending' LIMIT 1"), "all confirmed", 120)


def count_confirmed(run_sql: Sql) -> int:
    [(count,)] = run_sql("SELECT count(*) FROM orders WHERE status = 'confirmed'")
    return int(count)


def test_the_version_before_leaves_the_newer_database_as_it_is(version_before: Version) -> None:
    if not (version_before.directory / "grocery/migrating.py").exists():
        pytest.skip("the version before has no `flask migrate` yet")
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "migrate"]
    done = subprocess.run(
        command, cwd=version_before.directory, env=dict(version_before.environ), capture_output=True, text=True
    )
    assert (done.returncode, "The database is newer" in done.stdout) == (0, True), done.stderr
