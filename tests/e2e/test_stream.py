"""Following orders from outside: the stream process as an operator starts it, and all that can go wrong on the way."""

import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from itsdangerous import TimestampSigner

from grocery.tickets import CHANNEL, OPENING_SECONDS, RESUMING_SECONDS, make_ticket
from tests.e2e.conftest import order
from tests.e2e.shop import PASSWORD, Shop
from tests.e2e.watching import Event, Watcher, statuses
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e


@pytest.fixture
def shop(shop: Shop) -> Iterator[Shop]:
    """Without the worker that confirms orders: here nothing happens to them but what a test does."""
    shop.end("worker-orders")
    yield shop
    wait_until(lambda: not shop.is_running("stream") or shop.stream_health()["streams"] == 0, "all have left")


@pytest.fixture
def placed(shop: Shop, customer: dict[str, str], product: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = order(shop, customer, product, 2).json()
    return body


def move(shop: Shop, admin: dict[str, str], placed: dict[str, Any], status: str) -> None:
    answer = shop.patch(f"/orders/{placed['id']}/status", json={"status": status}, headers=admin)
    assert answer.status_code == 200, answer.text


def history(shop: Shop, placed: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Ids and statuses."""
    return shop.sql(f"SELECT id, status FROM order_history WHERE order_id = {placed['id']} ORDER BY id")


def watch(shop: Shop, placed: dict[str, Any], who: dict[str, str], **headers: str) -> Watcher:
    watcher = Watcher(f"{shop.url}/orders/{placed['id']}/stream", {**who, **headers})
    assert watcher.answer.status_code == 200, watcher.answer.text
    return watcher


def old_ticket(shop: Shop, order_id: int, age_seconds: float, monkeypatch: pytest.MonkeyPatch) -> str:
    secret = (Path(shop.environ["DATA_DIR"]) / "secrets" / "secret_key").read_text().strip()
    with monkeypatch.context() as patch:
        patch.setattr(TimestampSigner, "get_timestamp", lambda _: int(time.time() - age_seconds))
        return make_ticket(secret, order_id, is_public=False)


def ask(shop: Shop, order_id: int, ticket: str, **headers: str) -> requests.Response:
    return requests.get(
        f"{shop.stream_url}/stream/orders/{order_id}",
        params={"ticket": ticket},
        headers=headers,
        timeout=60,
        stream=True,
    )


def test_an_order_is_followed_to_its_end(
    shop: Shop, customer: dict[str, str], admin: dict[str, str], placed: dict[str, Any]
) -> None:
    watcher = watch(shop, placed, customer)
    answer = watcher.answer
    assert [one.status_code for one in answer.history] == [307]
    assert answer.url.startswith(f"{shop.stream_url}/stream/orders/{placed['id']}?ticket=")
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-store, no-transform"
    [(first_id, _)] = history(shop, placed)
    [first] = watcher.take(1)
    assert (first.kind, first.id, sorted(first.data)) == ("order", first_id, ["at", "changed", "id", "status"])
    assert (first.data["id"], first.data["status"], first.data["changed"]) == (placed["id"], "pending", None)
    assert first.data["at"].endswith("Z")

    move(shop, admin, placed, "shipped")
    assert statuses(watcher.take(3)) == ["confirmed", "packed", "shipped"]
    move(shop, admin, placed, "delivered")
    *rest, end = list(watcher.events())
    assert [(event.id, event.data["status"]) for event in rest] == history(shop, placed)[-1:]
    assert end == Event("end", None, {"id": placed["id"], "status": "delivered"})


def test_nothing_is_missed_between_two_connections(
    shop: Shop, customer: dict[str, str], admin: dict[str, str], placed: dict[str, Any]
) -> None:
    watcher = watch(shop, placed, customer)
    [first] = watcher.take(1)
    watcher.leave()
    move(shop, admin, placed, "packed")
    watcher = watch(shop, placed, customer, **{"Last-Event-ID": str(first.id)})
    assert [(event.id, event.data["status"]) for event in watcher.take(2)] == history(shop, placed)[1:]
    watcher.leave()
    by_query = Watcher(f"{shop.url}/orders/{placed['id']}/stream?last_event_id={first.id}", customer)
    assert statuses(by_query.take(2)) == ["confirmed", "packed"]
    by_query.leave()


def test_what_has_ended_is_told_once_and_then_never_again(
    shop: Shop, customer: dict[str, str], admin: dict[str, str], placed: dict[str, Any]
) -> None:
    move(shop, admin, placed, "cancelled")
    last, end = list(watch(shop, placed, customer).events())
    assert (last.data["status"], end.kind) == ("cancelled", "end")
    again = Watcher(f"{shop.url}/orders/{placed['id']}/stream", {**customer, "Last-Event-ID": str(last.id)})
    assert (again.answer.status_code, again.answer.content) == (204, b"")


def test_a_quiet_stream_shows_that_it_lives(shop: Shop, customer: dict[str, str], placed: dict[str, Any]) -> None:
    watcher = watch(shop, placed, customer)
    everything = watcher.everything()
    assert [next(everything).kind for _ in range(4)] == [None, "order", None, None]  # the first is the hint to retry
    watcher.leave()


def test_only_the_owner_and_staff_are_sent_to_the_stream(
    shop: Shop, customer: dict[str, str], admin: dict[str, str], placed: dict[str, Any]
) -> None:
    stranger = {"name": "Brian", "email": "brian@example.com", "password": PASSWORD}
    shop.post("/auth/register", json=stranger)
    path = f"/orders/{placed['id']}/stream"
    answers = [
        shop.get(path, headers=headers, allow_redirects=False)
        for headers in (customer, admin, shop.sign_in("brian@example.com"), {})
    ]
    assert [answer.status_code for answer in answers] == [307, 307, 404, 401]
    assert [("Location" in answer.headers) for answer in answers] == [True, True, False, False]


def test_tickets_open_what_they_are_for_and_only_while_they_are_fresh(
    shop: Shop, placed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = placed["id"]
    fresh = old_ticket(shop, order_id, 0, monkeypatch)
    stale = old_ticket(shop, order_id, OPENING_SECONDS + 5, monkeypatch)
    ancient = old_ticket(shop, order_id, RESUMING_SECONDS + 5, monkeypatch)
    last_id = str(history(shop, placed)[-1][0])
    unsigned, signature = fresh.rsplit(".", 1)  # of the last letter not all bits count
    refused = [
        ask(shop, order_id, ""),
        ask(shop, order_id, f"{unsigned}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"),
        ask(shop, order_id, stale),
        ask(shop, order_id, stale, **{"Last-Event-ID": "0"}),
        ask(shop, order_id, stale, **{"Last-Event-ID": "999999999"}),
        ask(shop, order_id, ancient, **{"Last-Event-ID": last_id}),
        ask(shop, order_id + 1, fresh),
        ask(shop, 10**17, old_ticket(shop, 10**17, 0, monkeypatch)),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [
        (401, "invalid_ticket"),
        (401, "invalid_ticket"),
        (401, "ticket_expired"),
        (401, "ticket_expired"),
        (401, "ticket_expired"),
        (401, "ticket_expired"),
        (403, "ticket_of_another_order"),
        (404, "not_found"),
    ]
    assert {answer.headers["Content-Type"] for answer in refused} == {"application/problem+json"}
    resumed = ask(shop, order_id, stale, **{"Last-Event-ID": last_id})
    assert resumed.status_code == 200
    resumed.close()


def test_pages_of_the_shop_may_read_streams(shop: Shop, placed: dict[str, Any]) -> None:
    allowed = ask(shop, placed["id"], "", Origin=shop.url)
    other = ask(shop, placed["id"], "", Origin="https://evil.example")
    assert allowed.headers["Access-Control-Allow-Origin"] == shop.url
    assert "Access-Control-Allow-Origin" not in other.headers


def test_the_public_link_streams_without_amounts(
    shop: Shop, customer: dict[str, str], admin: dict[str, str], placed: dict[str, Any]
) -> None:
    shop.sms.wait_for(1)
    link = next(word for word in shop.sms.messages[0]["message"].split() if "/t/" in word)
    assert link.startswith(f"{shop.url}/t/")
    public, own = Watcher(f"{link}/stream"), watch(shop, placed, customer)
    assert statuses(public.take(1)) == statuses(own.take(1)) == ["pending"]
    line_id = placed["items"][0]["id"]
    answer = shop.patch(f"/orders/{placed['id']}/lines/{line_id}", json={"quantity": 3}, headers=admin)
    assert answer.status_code == 200, answer.text
    assert [event.data["changed"] for event in public.take(1)] == [{}]
    assert [event.data["changed"]["total"] for event in own.take(1)] == [{"from": "378.00", "to": "567.00"}]
    public.leave()
    own.leave()


def test_without_valkey_a_status_is_seen_a_little_later(
    shop: Shop, customer: dict[str, str], admin: dict[str, str], placed: dict[str, Any]
) -> None:
    watcher = watch(shop, placed, customer)
    watcher.take(1)
    shop.valkey.stop()
    wait_until(lambda: shop.stream_health()["redis"] == "degraded", "the stream has noticed")
    move(shop, admin, placed, "confirmed")
    assert statuses(watcher.take(1)) == ["confirmed"]
    shop.valkey.start()
    wait_until(lambda: shop.stream_health()["redis"] == "ok", "the stream hears again")
    move(shop, admin, placed, "packed")
    assert statuses(watcher.take(1)) == ["packed"]
    watcher.leave()


def test_a_valkey_that_hangs_is_one_that_is_away(
    shop: Shop, customer: dict[str, str], admin: dict[str, str], placed: dict[str, Any]
) -> None:
    watcher = watch(shop, placed, customer)
    watcher.take(1)
    shop.valkey.freeze()
    move(shop, admin, placed, "confirmed")
    assert statuses(watcher.take(1)) == ["confirmed"]
    shop.valkey.unfreeze()
    wait_until(lambda: shop.stream_health()["redis"] == "ok", "the stream hears again")
    watcher.leave()


def test_a_killed_stream_process_costs_no_event(
    shop: Shop, customer: dict[str, str], admin: dict[str, str], placed: dict[str, Any]
) -> None:
    watcher = watch(shop, placed, customer)
    [first] = watcher.take(1)
    shop.end("stream", signal.SIGKILL)
    move(shop, admin, placed, "confirmed")
    shop.start("stream")
    move(shop, admin, placed, "packed")
    resumed = requests.get(watcher.answer.url, headers={"Last-Event-ID": str(first.id)}, stream=True, timeout=60)
    watcher.leave()
    assert resumed.status_code == 200  # with the address that it had: as browsers do
    resumed.close()
    watcher = watch(shop, placed, customer, **{"Last-Event-ID": str(first.id)})
    assert statuses(watcher.take(2)) == ["confirmed", "packed"]
    watcher.leave()


def test_sigterm_ends_streams_in_good_order(shop: Shop, customer: dict[str, str], placed: dict[str, Any]) -> None:
    watcher = watch(shop, placed, customer)
    watcher.take(1)
    process = shop.processes["stream"]
    shop.end("stream")
    assert process.returncode == 0
    assert list(watcher.events()) == []


def test_a_client_that_never_reads_is_dropped_and_holds_up_nobody(
    shop: Shop, customer: dict[str, str], placed: dict[str, Any]
) -> None:
    watcher = watch(shop, placed, customer)
    watcher.take(1)
    location = shop.get(f"/orders/{placed['id']}/stream", headers=customer, allow_redirects=False).headers["Location"]
    with closing(socket.socket()) as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.connect(("127.0.0.1", shop.stream_port))
        path = location.removeprefix(f"{urlsplit(location).scheme}://{urlsplit(location).netloc}")
        lazy.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        wait_until(lambda: shop.stream_health()["streams"] == 2, "both listen")
        changed = json.dumps({"added": [{"name": "x" * 30_000}]})
        for _ in range(8):
            shop.sql(
                "INSERT INTO order_history (order_id, event, status, actor_role, changed) "
                f"VALUES ({placed['id']}, 'lines', 'pending', 'staff', '{changed}')"
            )
            shop.valkey.client.publish(CHANNEL, placed["id"])
            assert len(watcher.take(1)[0].data["changed"]["added"]) == 1
        wait_until(lambda: shop.stream_health()["streams"] == 1, "the one that does not read is dropped")
        figures = requests.get(f"{shop.stream_url}/metrics", timeout=60)
        assert figures.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert {"grocery_stream_streams 1", "grocery_stream_dropped_total 1"} <= set(figures.text.splitlines())
    watcher.leave()


def test_the_stream_of_a_deleted_order_ends(shop: Shop, customer: dict[str, str], placed: dict[str, Any]) -> None:
    watcher = watch(shop, placed, customer)
    watcher.take(1)
    answer = requests.delete(f"{shop.url}/auth/me", json={"password": PASSWORD}, headers=customer, timeout=60)
    assert answer.status_code == 204, answer.text
    shop.valkey.client.publish(CHANNEL, placed["id"])  # or a few seconds later without
    assert list(watcher.events()) == [Event("end", None, {"id": placed["id"], "status": None})]


def test_a_taken_port_is_said_in_one_line(shop: Shop) -> None:
    with pytest.raises(AssertionError, match=f"port {shop.stream_port} cannot be served: "):
        shop.flask("stream", "--host", "127.0.0.1", "--port", str(shop.stream_port))
