"""The image, built for real: small, without secrets, the same each time, and ready for a read-only file system."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.containers.engine import CANARY, IMAGE, build, docker
from tests.containers.trees import layers_with, tree_of

pytestmark = [pytest.mark.prove, pytest.mark.usefixtures("built")]

LIMIT_BYTES = 250_000_000

SETTINGS = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "s" * 32,
    "JWT_SECRET_KEYS": "a:" + "s" * 32,
}


def run(*words: str) -> str:
    """A command in the image, as compose.yaml confines it, without network."""
    settings = [part for name, value in SETTINGS.items() for part in ("-e", f"{name}={value}")]
    confined = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
    return docker("run", "--rm", "--network", "none", *confined, *settings, IMAGE, *words)


def inspected() -> dict[str, Any]:
    [found] = json.loads(docker("image", "inspect", IMAGE))
    image: dict[str, Any] = found
    return image


def test_the_image_is_small() -> None:
    assert inspected()["Size"] < LIMIT_BYTES


def test_the_image_says_what_it_is(built: Path) -> None:
    labels = inspected()["Config"]["Labels"]
    assert labels["org.opencontainers.image.version"] == "tests"
    assert labels["org.opencontainers.image.revision"]


def test_no_secret_of_the_directory_is_in_any_layer_or_in_the_history(tmp_path: Path) -> None:
    assert layers_with(CANARY.encode(), IMAGE, tmp_path) == []
    assert CANARY not in docker("history", "--no-trunc", IMAGE)
    # The search finds what is there: a name of the program is in the layer of the shop.
    assert layers_with(b"create_app", IMAGE, tmp_path)


def test_nothing_of_the_builders_configuration_is_in_the_image() -> None:
    tree = tree_of(IMAGE)
    assert "etc/pip.conf" not in tree
    assert [path for path in tree if path.startswith("run/secrets")] == []
    assert "app/wsgi.py" in tree


def test_nobody_in_it_can_build_or_install_anything() -> None:
    names = {Path(path).name for path in tree_of(IMAGE) if "/bin/" in path or "/sbin/" in path}
    assert {"python3", "flask", "rq", "sh", "ls"} <= names
    assert not names & {"gcc", "cc", "as", "ld", "make", "pip", "pip3", "apt", "apt-get", "perl", "gpg"}


def test_files_cannot_be_changed_by_whom_the_shop_runs_as() -> None:
    assert run("id", "-u").strip() == "10001"
    writable = {
        path
        for path, entry in tree_of(IMAGE).items()
        if entry.kind != b"2" and (entry.mode & 0o002 or entry.owner[0] == 10001) and not path.startswith("dev")
    }
    assert {path.strip("/") for path in writable} == {"tmp", "var/tmp", "run/lock", "data", "data/media"} & {
        path.strip("/") for path in tree_of(IMAGE)
    }
    setuid = [path for path, entry in tree_of(IMAGE).items() if entry.mode & 0o6000 and entry.kind == b"0"]
    assert setuid == []


def test_processes_find_all_that_they_import_compiled() -> None:
    code = "import wsgi, grocery.worker, grocery.serving.__main__, grocery.stream.__main__"
    said = docker(
        *("run", "--rm", "--network", "none", *(f"-e{name}={value}" for name, value in SETTINGS.items()), IMAGE),
        *("sh", "-c", f"python -v -c '{code}' 2>&1"),
    )
    assert said.count("\nimport ") > 500
    # Python says this of what it had to compile.
    compiled_anew = re.findall(r"^# code object from '(/\S+\.py)'", said, re.MULTILINE)
    assert [path for path in compiled_anew if "__main__" not in path] == []


def test_all_commands_are_there() -> None:
    for words in (["flask", "--app", "wsgi", "migrate"], ["flask", "--app", "wsgi", "relay"], ["rq", "worker"]):
        assert "Usage" in run(*words, "--help")
    for module in ("grocery.serving", "grocery.stream"):
        assert "--port" in run("python", "-m", module, "--help")


def test_a_second_build_has_the_same_content(built: Path) -> None:
    build(built, "tests-again", "--no-cache")
    try:
        first, second = tree_of(IMAGE), tree_of("grocery:tests-again")
    finally:
        docker("image", "rm", "grocery:tests-again")
    assert len(first) > 3000
    assert sorted(first) == sorted(second)
    assert [path for path in first if first[path] != second[path]] == []
