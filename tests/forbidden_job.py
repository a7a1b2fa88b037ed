"""A module that no worker may import: importing it leaves a trace."""

import os

from grocery.queues import connect

connect(os.environ["REDIS_URL"]).rpush("trace", "imported")


def run(*_: object) -> None:
    connect(os.environ["REDIS_URL"]).rpush("trace", "executed")
