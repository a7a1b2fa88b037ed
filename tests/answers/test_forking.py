"""Servers that load the application and then fork."""

import os
import subprocess
import sys

from flask import Flask

from tests.e2e.shop import ROOT


def test_a_forked_child_keeps_its_own_answers_and_listens_by_itself(environ: dict[str, str], app: Flask) -> None:
    settings = {"PATH": os.environ["PATH"], **environ, "KEPT_ANSWERS_MB": "1"}
    command = [sys.executable, "-m", "tests.answers.forking"]
    done = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == ["parent True", "child bypass True", "parent hit"], done.stderr
