"""A process that uses the stack of argv[1]: says what it got in one JSON line, then ends when its stdin does."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from grocery.embedded import EmbeddedStackError, ensure_stack


def main() -> None:
    try:
        stack = ensure_stack(Path(sys.argv[1]))
    except EmbeddedStackError as error:
        sys.exit(str(error))
    sys.stdout.write(json.dumps({"started_here": stack.started_here, "record": asdict(stack.record)}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
