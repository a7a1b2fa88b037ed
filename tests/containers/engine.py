"""The docker of this machine: building the image, and running the whole shop of it."""

import json
import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.containers.files import ROOT, images_of_others
from tests.e2e.shop import free_port

#: Programs may have other names: DOCKER=/usr/bin/docker. IMAGE_ARGS is for the build, as in `make image`.
DOCKER = os.environ.get("DOCKER", "docker")

VERSION = "tests"
IMAGE = f"grocery:{VERSION}"

# What must never get into an image, wherever it lies.
CANARY = "canary-a1f0c59e"
_PLACES = (".env", ".data/secrets/secret_key", "tests/notes.txt", "grocery/.env", "deploy/image/.env", "deploy/x.env")


def docker(*words: str, seconds: float = 120, **options: Any) -> str:
    """Standard output of a docker command that must succeed."""
    done = subprocess.run([DOCKER, *words], capture_output=True, text=True, timeout=seconds, **options)
    assert done.returncode == 0, f"docker {' '.join(words)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def compose_program() -> list[str] | None:
    """Version 2, a plugin of docker, or else version 1."""
    if subprocess.run([DOCKER, "compose", "version"], capture_output=True).returncode == 0:
        return [DOCKER, "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else None


def why_not() -> str | None:
    """Why nothing can be built and run here; None when it can."""
    if not shutil.which(DOCKER):
        return "docker is not installed"
    if subprocess.run([DOCKER, "info"], capture_output=True).returncode:
        return "no docker engine runs"
    helped = subprocess.run(
        [DOCKER, "build", "--help"], env={**os.environ, "DOCKER_BUILDKIT": "1"}, capture_output=True, text=True
    )
    if "--secret" not in helped.stdout:
        return "docker has no BuildKit (buildx)"
    if compose_program() is None:
        return "docker has no compose"
    for image in sorted(set(images_of_others().values())):
        if subprocess.run([DOCKER, "image", "inspect", image], capture_output=True).returncode:
            return f"the image {image} is not here: docker pull {image}"
    return None


def copy_of_the_project(directory: Path) -> Path:
    """What the image is made of, among what must not get into it."""
    for name in ("grocery", "migrations", "deploy"):
        shutil.copytree(ROOT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__", "*.env", "tls"))
    for name in ("Dockerfile", ".dockerignore", "Makefile", "pyproject.toml", "requirements.txt", "wsgi.py"):
        shutil.copy(ROOT / name, directory)
    shutil.copy(ROOT / "compose.yaml", directory)
    for place in _PLACES:
        (directory / place).parent.mkdir(parents=True, exist_ok=True)
        (directory / place).write_text(f"SECRET_KEY={CANARY}\n")
    return directory


def build(directory: Path, version: str = VERSION, arguments: str = "") -> None:
    """`make image` there; raises AssertionError with the end of what it said."""
    environ = {**os.environ, "IMAGE_ARGS": f"{os.environ.get('IMAGE_ARGS', '')} {arguments}"}
    words = ["make", "image", f"VERSION={version}", f"DOCKER={DOCKER}"]
    done = subprocess.run(words, cwd=directory, env=environ, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"[-4000:]


def build_pgbouncer(directory: Path) -> None:
    """What `docker compose build pgbouncer` does, with the arguments that this machine needs."""
    words = [*shlex.split(os.environ.get("IMAGE_ARGS", "")), "-t", f"grocery-pgbouncer:{VERSION}", "deploy/pgbouncer"]
    docker("build", *words, seconds=600, cwd=directory, env={**os.environ, "DOCKER_BUILDKIT": "1"})


@dataclass(frozen=True)
class ComposedShop:
    """The shop of compose.yaml, as a project of its own."""

    directory: Path
    project: str
    port: int

    @classmethod
    def prepared(cls, directory: Path) -> "ComposedShop":
        subprocess.run(["sh", "deploy/compose/make-secrets.sh"], cwd=directory, check=True, capture_output=True)
        with (directory / "deploy/compose/secrets.env").open("a") as file:
            file.write("MAX_OPEN_UNPAID_ORDERS=0\nRATE_LIMIT_ORDERS=none\n")
        return cls(directory, f"grocery-tests-{os.getpid()}", free_port())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def compose(self, *words: str, input: str | None = None, seconds: float = 400) -> str:
        program = compose_program()
        assert program is not None
        environ = {**os.environ, "GROCERY_VERSION": VERSION, "GROCERY_ADDRESS": f"127.0.0.1:{self.port}"}
        command = [*program, "-p", self.project, *words]
        done = subprocess.run(
            command, cwd=self.directory, env=environ, input=input, capture_output=True, text=True, timeout=seconds
        )
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def execute(self, service: str, *words: str, input: str | None = None) -> str:
        return self.compose("exec", "-T", service, *words, input=input)

    def container(self, service: str) -> str:
        return self.compose("ps", "-q", service).strip()

    def state(self, service: str) -> dict[str, Any]:
        [found] = json.loads(docker("inspect", self.container(service)))
        state: dict[str, Any] = {**found["State"], "RestartCount": found["RestartCount"]}
        return state

    def log(self, service: str) -> str:
        done = subprocess.run(
            [DOCKER, "logs", self.container(service)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        return done.stdout

    def sql(self, statement: str) -> list[str]:
        """The lines of what the database of the shop answers."""
        output = self.execute(
            "postgres", "psql", "-h", "/var/run/postgresql", "-U", "postgres", "-d", "grocery", "-Atc", statement
        )
        return output.splitlines()

    def kill(self, service: str) -> None:
        """End its first process as a crash would. `docker kill` would count as a wish that it stays away."""
        os.kill(int(self.state(service)["Pid"]), 9)

    def memory_share(self, service: str) -> float:
        """What it uses of the memory that it may, in percent."""
        return float(docker("stats", "--no-stream", "--format", "{{.MemPerc}}", self.container(service)).strip(" %\n"))


def wait_for(is_true: Callable[[], Any], seconds: float, what: str) -> None:
    """Wait until something is true; what fails is not yet."""
    deadline, problem = time.monotonic() + seconds, ""
    while time.monotonic() < deadline:
        try:
            if is_true():
                return
        except (AssertionError, OSError) as error:
            problem = str(error)
        time.sleep(0.5)
    raise AssertionError(f"not within {seconds} s: {what}. {problem}")


def names_of_zombies(listed: str) -> Sequence[str]:
    """The processes of `ps -o stat,comm` that have ended and that nobody has buried."""
    return re.findall(r"^Z\S*\s+(.*)$", listed, re.MULTILINE)
