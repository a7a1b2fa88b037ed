"""Places orders, each in a child that dies on the way. Told what by lines of JSON; run by test_killed.py."""

import json
import os
import signal
import sys
from typing import Any

from sqlalchemy import event

from grocery.app import create_app
from grocery.db import db

app = create_app()


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at(point: str, number: int) -> None:
    """Die after so many statements, or on one side of the commit."""
    if point == "committing":
        event.listen(db.engine, "commit", die)
    elif point == "committed":
        event.listen(db.session, "after_commit", die)
    elif point == "executed":
        done: list[object] = []

        def count(*_: object) -> None:
            done.append(None)
            if len(done) == number:
                die()

        event.listen(db.engine, "after_cursor_execute", count)


def place(task: dict[str, Any]) -> int:
    with app.app_context():
        die_at(task["point"], task["number"])
    response = app.test_client().post("/orders/", json=task["body"], headers=task["headers"])
    return response.status_code


if __name__ == "__main__":
    print("ready", flush=True)  # noqa: T201  # its output is the result
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(place(json.loads(line)))
        print(child, flush=True)  # noqa: T201
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201
