"""Ending whole process families.

Each process of the shop leads a session of its own; what it forks (granian's workers, RQ's work-horses, which make
themselves groups of their own) stays in that session, so it can be found after its parent has died.
"""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")


def members(session: int) -> list[int]:
    """The living processes of a session. Without /proc, only its leader's group can be asked for."""
    if not _PROC.is_dir():
        return [session] if _group_exists(session) else []
    return [pid for pid in map(int, filter(str.isdigit, os.listdir(_PROC))) if _is_alive_in(pid, session)]


def _is_alive_in(pid: int, session: int) -> bool:
    try:
        # The name in parentheses may hold anything, so fields are counted from its end: state, parent, group, session.
        fields = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return False
    return int(fields[3]) == session and fields[0] not in "ZX"


def _group_exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def send(sessions: Iterable[int], number: int) -> None:
    """Send a signal to every process of the sessions."""
    for pid in [pid for session in sessions for pid in members(session)]:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def kill(sessions: set[int], seconds: float = 1.0) -> None:
    """Kill the sessions and wait until the kernel has removed their processes."""
    deadline = time.monotonic() + seconds
    while any(members(session) for session in sessions) and time.monotonic() < deadline:
        send(sessions, signal.SIGKILL)
        time.sleep(0.02)
