"""The transition table of campaigns."""

import pytest

from grocery.notify.campaigns.models import CAMPAIGN_STATUSES
from grocery.notify.campaigns.states import ACTIONS, FINISHED, allowed_actions, next_status


@pytest.mark.parametrize(
    ("status", "actions"),
    [
        ("draft", ["start"]),
        ("running", ["pause", "cancel"]),
        ("paused", ["resume", "cancel"]),
        ("finished", []),
        ("cancelled", []),
    ],
)
def test_what_may_be_done_in_each_state(status: str, actions: list[str]) -> None:
    assert allowed_actions(status) == actions


def test_every_state_can_be_reached() -> None:
    reached = {next_status(status, action) for status in CAMPAIGN_STATUSES for action in ACTIONS}
    assert (reached | {"draft", FINISHED}) - {None} == set(CAMPAIGN_STATUSES)
