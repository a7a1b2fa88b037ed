"""Entry point: `python -m grocery.serving`, which is what `flask serve` becomes."""

import argparse
import logging
import sys

from grocery import logs
from grocery.config import ConfigError, Settings, load_settings
from grocery.local import check_free
from grocery.serving.server import Server

log = logging.getLogger("grocery.serving")


def main() -> int:
    """Serve until told to end; returns 0 then, granian's exit code if it ended by itself, 2 for wrong settings."""
    try:
        settings = load_settings()
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    arguments = _arguments(settings)
    logs.configure(settings.log_level, settings.log_format)
    try:
        # granian itself ends with the stack of a panic when it finds its port taken.
        check_free(arguments.host, arguments.port)
    except OSError as error:
        sys.stderr.write(f"{arguments.host} port {arguments.port} cannot be served: {error.strerror}\n")
        return 1
    try:
        return Server(settings, arguments.host, arguments.port).run()
    except OSError as error:
        sys.stderr.write(f"The server cannot be started: {error}\n")
        return 1


def _arguments(settings: Settings) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m grocery.serving", description="Serve the shop and its API.")
    parser.add_argument("--host", default=settings.host)
    parser.add_argument("--port", type=int, default=settings.port)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
