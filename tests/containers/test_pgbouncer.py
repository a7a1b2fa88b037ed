"""The image of PgBouncer, as compose.yaml and the pods of k8s/overlays/prod start it."""

from pathlib import Path

import pytest

from tests.containers.engine import VERSION, docker

pytestmark = [pytest.mark.prove, pytest.mark.usefixtures("built")]

# Becomes `pgbouncer` of the image, and tells what that would have got.
_TELLS = '#!/bin/sh\nulimit -S -n\ncat /etc/pgbouncer/userlist.txt\necho "$*"\n'


def started(directory: Path, *options: str) -> list[str]:
    """What the program would have been given: how many files, which users, which arguments."""
    program = directory / "pgbouncer"
    program.write_text(_TELLS)
    program.chmod(0o755)
    confined = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--network", "none", *options)
    mounted = ("-v", f"{program}:/usr/local/bin/pgbouncer:ro")
    return docker("run", "--rm", *confined, *mounted, f"grocery-pgbouncer:{VERSION}").splitlines()


def test_a_password_of_the_environment_becomes_the_list_of_users(tmp_path: Path) -> None:
    told = started(tmp_path, "--env", "GROCERY_PASSWORD=a secret", "--ulimit", "nofile=1024:8192")
    assert told == ["4096", '"grocery" "a secret"', "/etc/pgbouncer/pgbouncer.ini"]


def test_a_list_that_is_mounted_is_taken_as_it_is(tmp_path: Path) -> None:
    users = tmp_path / "userlist.txt"
    users.write_text('"grocery" "mounted"\n')
    users.chmod(0o644)
    told = started(tmp_path, "-v", f"{users}:/etc/pgbouncer/userlist.txt:ro", "--ulimit", "nofile=1024:2048")
    assert told == ["2048", '"grocery" "mounted"', "/etc/pgbouncer/pgbouncer.ini"]
