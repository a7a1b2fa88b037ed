"""How far a replica is behind, told from positions in the log of the primary and the times at which they were seen.

Clocks of two hosts are not compared, and a primary on which nothing happens does not look like a replica that lags, as
it would with pg_last_xact_replay_timestamp().
"""

from collections import deque

# Ten minutes at one a second. Who is farther behind than that is so by more than he says, until he has caught up.
_MAX_SEEN = 600


class Lag:
    """Remembers where the primary was. All times are seconds of one clock."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque(maxlen=_MAX_SEEN)
        self._reached_at: float | None = None

    def note_primary(self, at: float, position: int) -> None:
        """The primary's log was at least this long at that time."""
        if self._seen and position < self._seen[-1][1]:
            self._seen.clear()  # it is another one, which does not have all that the former had
        self._seen.append((at, position))

    def measure(self, now: float, replayed: int) -> float | None:
        """Seconds by which a replica is behind that has replayed so much; None when that is not known yet."""
        while self._seen and self._seen[0][1] <= replayed:
            self._reached_at = self._seen.popleft()[0]
        if self._reached_at is None:
            return None
        return max(0.0, now - self._reached_at)
