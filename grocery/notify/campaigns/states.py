"""The states of a campaign and what may be done in each. Pure: no web, no database."""

from collections.abc import Mapping

#: What admins may do, and from which state to which that leads.
_MOVES: Mapping[str, Mapping[str, str]] = {
    "start": {"draft": "running"},
    "pause": {"running": "paused"},
    "resume": {"paused": "running"},
    "cancel": {"running": "cancelled", "paused": "cancelled"},
}

ACTIONS = tuple(_MOVES)

#: What a running campaign becomes by itself, when nothing of it is left to be sent.
FINISHED = "finished"


def next_status(status: str, action: str) -> str | None:
    """The state that the action leads to, None when it cannot be done in this one. KeyError for an unknown action."""
    return _MOVES[action].get(status)


def allowed_actions(status: str) -> list[str]:
    """What may be done with a campaign in this state."""
    return [action for action in ACTIONS if next_status(status, action) is not None]
