"""Entry point: `python -m grocery.stream`, which is what `flask stream` becomes."""

import argparse
import asyncio
import logging
import sys

from grocery import faults, logs
from grocery.config import ConfigError, load_settings
from grocery.process import set_role
from grocery.stream.server import HEARTBEAT_SECONDS, serve

log = logging.getLogger("grocery.stream")


def main() -> int:
    """Serve until told to end; returns the exit code."""
    try:
        settings = load_settings()
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    parser = argparse.ArgumentParser(prog="python -m grocery.stream", description="Tell who watches an order.")
    parser.add_argument("--host", default=settings.host)
    parser.add_argument("--port", type=int, default=settings.stream_port)
    parser.add_argument("--heartbeat", type=float, default=HEARTBEAT_SECONDS)
    arguments = parser.parse_args()
    set_role("stream")
    logs.configure(settings.log_level, settings.log_format)
    faults.start(settings.sentry_dsn, settings.environment)
    try:
        asyncio.run(serve(settings, arguments.host, arguments.port, arguments.heartbeat))
    except OSError as error:
        sys.stderr.write(f"{arguments.host} port {arguments.port} cannot be served: {error.strerror}\n")
        return 1
    except Exception:
        log.exception("the stream process broke off")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
