"""The guard ends what the supervisor cannot end any more."""

import subprocess

from grocery.dev import sessions
from grocery.dev.guard import Guard
from tests.waiting import wait_until


def start_family(script: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["bash", "-c", script], start_new_session=True)


def test_end_of_the_pipe_ends_whole_families_also_deaf_ones_and_orphans_but_no_stranger() -> None:
    deaf = start_family("trap '' TERM; sleep 60 & sleep 60; true")
    # Job control gives each background process a group of its own, as RQ's work-horses have.
    orphans = start_family("set -m; sleep 60 & sleep 60 & exit 0")
    stranger = start_family("sleep 60; true")
    orphans.wait()
    wait_until(lambda: len(sessions.members(deaf.pid)) == 3 and len(sessions.members(orphans.pid)) == 2)
    guard = Guard()
    for family in (deaf, orphans, stranger):
        guard.watch(family.pid)
    guard.forget(stranger.pid)

    guard.dismiss()

    assert sessions.members(deaf.pid) == []
    assert sessions.members(orphans.pid) == []
    assert stranger.poll() is None
    assert deaf.wait(60) == -9
    sessions.kill({stranger.pid})
    stranger.wait(60)
