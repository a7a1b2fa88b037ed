"""The directory with the sockets: short, private, in the temporary directory.

A Unix socket's path may have 107 bytes and the data directory can be longer, so the sockets live apart from the data.
The directory has a random name and is 0700; as root it is 0710 for the group of the servers' account, to which only
``sockets`` in it belongs.
"""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from grocery.embedded.account import Account
from grocery.embedded.errors import EmbeddedStackError

_PREFIX = "grocery-"
# "/grocery-xxxxxxxx/sockets/.s.PGSQL.5432.lock" must still fit behind it.
_MAX_BASE_LENGTH = 60


@dataclass(frozen=True)
class RuntimeDirectory:
    """The directory of one run."""

    path: Path

    @property
    def sockets(self) -> Path:
        """Where both servers listen."""
        return self.path / "sockets"

    @property
    def quoted_sockets(self) -> str:
        """The socket directory, safe inside a URL."""
        return quote(str(self.sockets))

    @property
    def control(self) -> Path:
        """The socket where the keeper counts its users."""
        return self.path / "control"

    def write(self, name: str, text: str, account: Account) -> Path:
        """Write a file that the servers may read."""
        path = self.path / name
        path.write_text(text)
        path.chmod(0o600)
        account.give(path)
        return path

    def remove(self) -> None:
        """Delete it with all that is inside."""
        shutil.rmtree(self.path, ignore_errors=True)


def make_runtime_directory(account: Account, earlier: str | None) -> RuntimeDirectory:
    """Make the directory, at the path of a crashed run when that is still ours, so that its clients find it again.

    Raises EmbeddedStackError when no temporary directory is short enough and open to the account.
    """
    path = Path(earlier) if earlier and _is_ours(Path(earlier)) else None
    if path is None:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_temporary_directory(account)))
    for leftover in path.iterdir():
        shutil.rmtree(leftover) if leftover.is_dir() and not leftover.is_symlink() else leftover.unlink()
    runtime = RuntimeDirectory(path)
    runtime.sockets.mkdir(mode=0o700)
    account.give(runtime.sockets)
    if account.is_other:
        os.chown(path, -1, account.gid)
        path.chmod(0o710)
    return runtime


def _is_ours(path: Path) -> bool:
    if not path.name.startswith(_PREFIX) or path.is_symlink() or not path.is_dir():
        return False
    return path.stat().st_uid == os.geteuid() and not path.stat().st_mode & 0o027


def _temporary_directory(account: Account) -> Path:
    # The rule S108 warns of predictable names in shared directories; mkdtemp makes a random, private one.
    shared = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108
    for base in (Path(tempfile.gettempdir()), *shared):
        if base.is_dir() and len(os.fsencode(base)) <= _MAX_BASE_LENGTH and _lets_in(base, account):
            return base
    raise EmbeddedStackError(
        f"No temporary directory is short enough for a socket and open to the user {account.name}: set TMPDIR to one."
    )


def _lets_in(base: Path, account: Account) -> bool:
    return not account.is_other or all(part.stat().st_mode & 0o001 for part in (base, *base.parents))
