"""Which operating-system account the servers run as, and how it reaches its files.

PostgreSQL refuses to run as root. As root, both servers therefore run as the owner of the existing database, or as
``nobody`` for a new one. That account cannot enter a checkout below ``/root``, and the modes of directories that are
not ours must not change; so a server gets its working directory from us before the privileges are dropped, and is told
that its data is in ``/proc/self/cwd``, a link that works without passing through the parent directories.
"""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from grocery.embedded.errors import EmbeddedStackError


class SpawnOptions(TypedDict, total=False):
    """The arguments of ``subprocess.Popen`` that change the account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """The account of the servers; ``is_other`` when it is not the one of this process."""

    uid: int
    gid: int
    name: str
    is_other: bool

    def spawn_options(self) -> SpawnOptions:
        """Arguments for ``subprocess`` that drop to this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_other else {}

    def data_argument(self, directory: Path) -> str:
        """How a server that was started inside ``directory`` names it."""
        return "/proc/self/cwd" if self.is_other else str(directory)

    def give(self, path: Path) -> None:
        """Make this account the owner of a file or directory that we just created."""
        if self.is_other:
            os.chown(path, self.uid, self.gid)


def server_account(database: Path) -> Account:
    """Choose the account for the servers of the database directory ``database``, which need not exist.

    Raises EmbeddedStackError when the database belongs to somebody else, or when there is no account to use.
    """
    own = os.geteuid()
    owner = database.stat().st_uid if database.exists() else None
    if own != 0:
        if owner not in (None, own):
            raise EmbeddedStackError(
                f"{database} belongs to {account_name(owner)}: run as that user or set another DATA_DIR."
            )
        return Account(own, os.getegid(), account_name(own), is_other=False)
    try:
        entry = pwd.getpwuid(owner) if owner else pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedStackError(
            "PostgreSQL does not run as root, and there is no account 'nobody' to run it as: "
            "run as a plain user, or set DATABASE_URL and REDIS_URL."
        ) from None
    return Account(entry.pw_uid, entry.pw_gid, entry.pw_name, is_other=True)


def account_name(uid: int | None) -> str:
    """Return the name of an account.

    Raises EmbeddedStackError when it has none: PostgreSQL identifies its peers by name.
    """
    try:
        return pwd.getpwuid(uid if uid is not None else os.geteuid()).pw_name
    except KeyError:
        raise EmbeddedStackError(
            f"User id {uid} has no name in the user database, and PostgreSQL needs one: "
            "run as a named user, or set DATABASE_URL and REDIS_URL."
        ) from None
