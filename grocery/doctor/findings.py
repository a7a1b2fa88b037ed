"""What the doctor finds: how bad it is, what it is, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """From good to bad: only a failure is a reason for exit code 1."""

    OK = "ok"
    HINT = "hint"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True)
class Finding:
    """One line of what was found, and one of what to do; the latter is empty when all is well."""

    level: Level
    what: str
    remedy: str = ""


def ok(what: str) -> Finding:
    return Finding(Level.OK, what)


def hint(what: str, remedy: str) -> Finding:
    """Nothing is wrong; it could be better, or may be meant as it is."""
    return Finding(Level.HINT, what, remedy)


def warning(what: str, remedy: str) -> Finding:
    """It works, and will fail or harm somebody sooner or later."""
    return Finding(Level.WARNING, what, remedy)


def failure(what: str, remedy: str) -> Finding:
    """Something that the shop needs does not work."""
    return Finding(Level.FAILURE, what, remedy)
