"""Entry point: settings and port are checked before anything is started."""

import argparse
import os
import signal
import sys

from grocery.config import ConfigError, load_settings
from grocery.dev.address import AddressError, check_address
from grocery.dev.supervisor import Supervisor
from grocery.embedded import EmbeddedStackError
from grocery.embedded.processes import die_with_parent


def main() -> int:
    """Run until told to end; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m grocery.dev", description="Run the whole shop on this machine.")
    parser.add_argument("--with-parent", action="store_true", help="end when the program that started this one ends")
    if parser.parse_args().with_parent:
        die_with_parent(signal.SIGTERM, os.getppid())()
    try:
        settings = load_settings()
        check_address(settings.host, settings.port)
        check_address(settings.host, settings.stream_port)
        return Supervisor(settings).run()
    except (ConfigError, AddressError, EmbeddedStackError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
