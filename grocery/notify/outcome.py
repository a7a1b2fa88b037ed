"""What became of a message that was handed to a provider."""

from dataclasses import dataclass
from enum import StrEnum

ERROR_LENGTH = 300


class Outcome(StrEnum):
    """The four things that a sender has to know to decide what comes next."""

    SENT = "sent"
    RETRY = "retry"
    """Surely not accepted: sending it again cannot double it."""
    FAILED = "failed"
    """Refused for good: sending it again is of no use."""
    UNKNOWN = "unknown"
    """May have been accepted: sending it again may double it."""


@dataclass(frozen=True)
class SendResult:
    """One answer of a provider; `cost` is kept as the provider wrote it, e.g. "KES 0.8000".

    `is_general` stands beside RETRY: it is not about this message, and every other one would meet the same.
    """

    outcome: Outcome
    provider_id: str | None = None
    cost: str | None = None
    error: str | None = None
    is_general: bool = False


def one_line(text: str, limit: int = ERROR_LENGTH) -> str:
    """Make foreign text fit for a column and a log line of at most `limit` characters.

    PostgreSQL refuses NUL, and a line break would let a provider's answer forge a log line.
    """
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
