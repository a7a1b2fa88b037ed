"""`python -m grocery.probe`: is the process of this container alive? Exit code 0 if so, else 1 and the reason.

For containers' health checks, which run it every few seconds: it loads nothing but what it needs, in 40 ms.
"""

import http.client
import os
import sys
import time
from urllib.parse import urlsplit

#: Seconds after which a file is too old. A worker is silent for 5 s in a job, the relay for as long as a task takes.
FRESH_SECONDS = 60.0

_ANSWER_SECONDS = 5.0


def main(arguments: list[str]) -> int:
    """Probe the process whose LIVENESS_FILE this is: the one of the environment, or the one that is named."""
    path = arguments[0] if arguments else os.environ.get("LIVENESS_FILE", "")
    if not path or len(arguments) > 1:
        sys.stderr.write("Usage: python -m grocery.probe [FILE]; without FILE, LIVENESS_FILE must be set\n")
        return 2
    problem = find_problem(path)
    if problem:
        sys.stderr.write(f"{problem}\n")
    return 1 if problem else 0


def find_problem(path: str) -> str | None:
    """Why the process that keeps this file is not alive; None when it is."""
    try:
        with open(path) as file:
            address = file.read(1000).strip()
            age = time.time() - os.fstat(file.fileno()).st_mtime
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    if address:
        return _ask(address)
    return None if age < FRESH_SECONDS else f"there was no sign of life for {age:.0f} s"


def _ask(address: str) -> str | None:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", parts.path)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"{address} gives no answer: {error}"
    finally:
        connection.close()
    return None if status == 200 else f"{address} answers {status}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
