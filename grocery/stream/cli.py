"""`flask stream`."""

import os
import sys

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from grocery.config import Settings
from grocery.stream.server import HEARTBEAT_SECONDS


@click.command("stream")
@click.option("--host", help="Where to listen; by default HOST.")
@click.option("--port", type=click.IntRange(1, 65535), help="By default PORT + 1.")
@click.option(
    "--heartbeat",
    type=click.FloatRange(0.1, 3600),
    default=HEARTBEAT_SECONDS,
    show_default=True,
    help="Seconds after which a stream on which nothing happens gets a sign of life.",
)
@with_appcontext
def stream_command(host: str | None, port: int | None, heartbeat: float) -> None:
    """Tell who watches an order what becomes of it, until SIGTERM or Ctrl-C.

    Serves GET /stream/orders/{id} (server-sent events, for tickets that the API gives out) and GET /healthz. Clients
    are sent to STREAM_URL.
    """
    settings: Settings = current_app.extensions["settings"]
    address = ("--host", host or settings.host, "--port", str(port or settings.stream_port))
    # In place of this process, which has the whole shop in its memory.
    sys.stdout.flush()
    os.execv(  # noqa: S606  # no shell is wanted
        sys.executable, [sys.executable, "-m", "grocery.stream", *address, "--heartbeat", str(heartbeat)]
    )


def init_app(app: Flask) -> None:
    app.cli.add_command(stream_command)
