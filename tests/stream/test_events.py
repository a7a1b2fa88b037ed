from datetime import UTC, datetime, timedelta, timezone

import orjson

from grocery.orders.states import FINAL_STATUSES
from grocery.stream import events
from grocery.stream.events import Entry

AT = datetime(2026, 11, 1, 11, 15, tzinfo=timezone(timedelta(hours=3)))


def test_statuses_after_which_nothing_comes_are_those_of_orders() -> None:
    assert events.FINAL_STATUSES == FINAL_STATUSES


def test_an_entry_is_one_event() -> None:
    entry = Entry(12, 40, "pending", {"removed": [{"name": "Milk\n\nid: 1", "quantity": 2}]}, AT)
    assert events.order_event(entry, is_public=False) == (
        b"event: order\nid: 40\n"
        b'data: {"id":12,"status":"pending","changed":{"removed":[{"name":"Milk\\n\\nid: 1","quantity":2}]},'
        b'"at":"2026-11-01T08:15:00Z"}\n\n'
    )


def test_the_public_hears_that_something_changed_and_not_what() -> None:
    changed = Entry(12, 40, "pending", {"total": {"from": "378.00", "to": "189.00"}}, AT)
    assert b'"changed":{},' in events.order_event(changed, is_public=True)
    assert b'"changed":null,' in events.order_event(changed._replace(changed=None), is_public=True)


def test_the_end_names_the_last_status() -> None:
    assert events.end_event(12, "delivered") == b'event: end\ndata: {"id":12,"status":"delivered"}\n\n'
    assert events.end_event(12, None) == b'event: end\ndata: {"id":12,"status":null}\n\n'


def test_clients_are_told_to_come_back_in_about_two_seconds_and_not_all_at_once() -> None:
    told = {int(events.retry_event().removeprefix(b"retry: ").removesuffix(b"\n\n")) for _ in range(200)}
    assert min(told) >= 1000
    assert max(told) <= 3000
    assert len(told) > 20


def test_times_keep_their_parts_of_seconds() -> None:
    entry = Entry(1, 2, "packed", None, datetime(2026, 11, 1, 8, 15, 0, 123456, tzinfo=UTC))
    data = events.order_event(entry, is_public=True).partition(b"data: ")[2]
    assert orjson.loads(data)["at"] == "2026-11-01T08:15:00.123456Z"
