"""What people wrote is not kept for ever."""

import pytest

from grocery.notify.inbound import forgetting
from grocery.notify.inbound.forgetting import forget_old
from tests.notify.inbound.conftest import Sql

pytestmark = pytest.mark.usefixtures("context")


def test_sms_are_deleted_after_ninety_days_but_not_before_they_are_answered(
    run_sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "_BATCH", 2)
    run_sql("""
        INSERT INTO inbound_sms (provider_id, phone, body, status, received_at)
        SELECT status || days, '+254711000001', 'x', status, now() - make_interval(days => days)
        FROM unnest(ARRAY['answered', 'ignored', 'failed', 'received']) AS s (status)
        CROSS JOIN unnest(ARRAY[89, 91]) AS d (days)
    """)

    forget_old()

    assert run_sql("SELECT provider_id FROM inbound_sms ORDER BY 1") == [
        ("answered89",),
        ("failed89",),
        ("ignored89",),
        ("received89",),
        ("received91",),
    ]
