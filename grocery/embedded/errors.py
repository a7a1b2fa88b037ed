"""What can go wrong with the embedded stack, in words for the person at the terminal."""

from pathlib import Path


class EmbeddedStackError(RuntimeError):
    """The embedded stack cannot be started or reached; the message says what failed and what to do."""


def last_lines(log: Path, count: int = 8) -> str:
    """Return the end of a log, indented for a message; empty when there is no log."""
    try:
        lines = log.read_text(errors="replace").splitlines()[-count:]
    except OSError:
        return ""
    return "".join(f"\n    {line}" for line in lines)
