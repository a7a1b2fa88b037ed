"""What the relay does about delivery reports."""

from collections.abc import Sequence
from typing import Any

from grocery.db import transaction
from grocery.notify.receipts.service import forget_reports, list_waiting, match_report
from grocery.queues import PeriodicTask

# A report that comes before our own commit waits for seconds. Other reasons (a worker that hung) are rare, and reports
# about others' messages would be looked at all the time.
_FRESH_SECONDS = 600
_OLD_SECONDS = 3 * 24 * 3600

_BATCH = 1000


def match_fresh() -> None:
    """Find the messages of the reports of the last ten minutes. Costs one query when none waits."""
    _match_waiting(_FRESH_SECONDS)


def match_old() -> None:
    """The same for the reports of the last three days."""
    _match_waiting(_OLD_SECONDS)


def forget_old() -> None:
    """Delete what nobody will ask for, in short transactions."""
    forget_reports(_BATCH)


def periodic_tasks(_app: Any) -> Sequence[PeriodicTask]:
    """The answer to the signal `periodic_task`."""
    return [
        PeriodicTask("receipts.match_fresh", 5.0, match_fresh),
        PeriodicTask("receipts.match_old", 600.0, match_old),
        PeriodicTask("receipts.forget_old", 3600.0, forget_old),
    ]


def _match_waiting(seconds: int) -> None:
    """One transaction for each, so that never more than one message is locked."""
    for report_id in list_waiting(seconds):
        with transaction():
            match_report(report_id)
