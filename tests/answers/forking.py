"""A process that keeps answers and forks: prints what the child and the parent were told. Run by test_forking.py."""

import os

from grocery.app import create_app
from grocery.db import release_after_fork
from tests.waiting import wait_until

app = create_app()
client = app.test_client()


def outcome() -> str:
    return str(client.get("/products/").headers["X-Cache"])


if __name__ == "__main__":
    print("parent", wait_until(lambda: outcome() == "hit"), flush=True)  # noqa: T201  # its output is the result
    if os.fork() == 0:
        release_after_fork(app)
        print("child", outcome(), wait_until(lambda: outcome() == "hit"), flush=True)  # noqa: T201
        os._exit(0)
    os.wait()
    print("parent", outcome(), flush=True)  # noqa: T201
