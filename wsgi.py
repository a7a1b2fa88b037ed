"""The WSGI entry point: `granian --interface wsgi wsgi:app`, `flask --app wsgi …`."""

import sys

from grocery.app import create_app
from grocery.config import ConfigError

try:
    app = create_app()
except ConfigError as error:
    sys.exit(str(error))
