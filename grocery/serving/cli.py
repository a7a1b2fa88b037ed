"""`flask serve`."""

import os
import sys

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from grocery.config import Settings


@click.command("serve")
@click.option("--host", help="Where to listen; by default HOST.")
@click.option("--port", type=click.IntRange(1, 65535), help="By default PORT.")
@with_appcontext
def serve_command(host: str | None, port: int | None) -> None:
    """Serve the shop and its API, until SIGTERM or Ctrl-C.

    Starts SERVER_PROCESSES processes of granian. Told to end, it goes on serving for DRAIN_SECONDS, so that proxies can
    turn away from it, and then lets the requests under way finish; a second signal ends the waiting.
    """
    settings: Settings = current_app.extensions["settings"]
    # In place of this process, which has the whole shop in its memory.
    sys.stdout.flush()
    os.execv(  # noqa: S606  # no shell is wanted
        sys.executable,
        [
            sys.executable,
            "-m",
            "grocery.serving",
            *("--host", host or settings.host),
            *("--port", str(port or settings.port)),
        ],
    )


def init_app(app: Flask) -> None:
    app.cli.add_command(serve_command)
