"""One order through the running shop, as logs, traces and Sentry see it from outside."""

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import CUSTOMER, order
from tests.e2e.shop import ROOT, Shop
from tests.fakes.collector import FakeCollector
from tests.fakes.sentry import FakeSentry
from tests.waiting import stopwatch, wait_until

pytestmark = pytest.mark.e2e

PAGE = ROOT / "docs" / "logs-and-traces.md"
PROCESSES = ("api", "worker-orders", "worker-notify", "relay", "stream")
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT_ID = "00f067aa0ba902b7"


class Observed:
    """A shop whose processes tell a collector and Sentry what they do, and write JSON."""

    def __init__(self, shop: Shop, collector: FakeCollector, sentry: FakeSentry):
        self.shop, self.collector, self.sentry = shop, collector, sentry
        self._begin = {name: (shop.logs / f"{name}.log").stat().st_size for name in PROCESSES}

    def lines(self, name: str) -> list[dict[str, Any]]:
        written = (self.shop.logs / f"{name}.log").read_bytes()[self._begin[name] :].decode()
        return [json.loads(line) for line in written.splitlines() if line.startswith("{")]

    def lines_of(self, request_id: str) -> list[dict[str, Any]]:
        """What a search for the id of a request finds, in the order of time."""
        found = [line for name in PROCESSES for line in self.lines(name) if line["request_id"] == request_id]
        return sorted(found, key=lambda line: line["time"])

    def text(self) -> str:
        """All that left the shop for the collector and Sentry, as far as it can be read."""
        return "\n".join(posted.body.decode(errors="replace") for posted in self.collector.posted + self.sentry.posted)


@pytest.fixture(scope="module")
def observed_shop(shop_of_this_run: Shop) -> Iterator[Observed]:
    shop = shop_of_this_run
    kept = dict(shop.environ)
    shop.end_all()
    with FakeCollector() as collector, FakeSentry() as sentry:
        shop.environ.update(
            LOG_FORMAT="json",
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            OTEL_TRACES_SAMPLER_ARG="0",
            SENTRY_DSN=sentry.dsn,
        )
        for name in PROCESSES:
            (shop.logs / f"{name}.log").touch()
        watched = Observed(shop, collector, sentry)
        shop.start(*PROCESSES)
        yield watched
        shop.end_all()
    # Whoever needs the shop next starts it as it was.
    shop.environ.clear()
    shop.environ.update(kept)


@pytest.fixture
def observed(observed_shop: Observed, customer: dict[str, str], product: dict[str, Any]) -> Observed:
    """With a customer and a product, whose making is none of what is looked at."""
    observed_shop.collector.posted.clear()
    observed_shop.sentry.posted.clear()
    return observed_shop


def test_an_order_is_one_trace_and_one_request_id(
    observed: Observed, customer: dict[str, str], product: dict[str, Any]
) -> None:
    shop = observed.shop
    sent = {**customer, "X-Request-ID": "order-of-amina", "traceparent": f"00-{TRACE_ID}-{PARENT_ID}-01"}
    answer = order(shop, sent, product)
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (201, "order-of-amina")
    order_id = answer.json()["id"]
    shop.sms.wait_for(1)

    assert_lines_lead_from_request_to_sms(observed, order_id)
    assert_trace_leads_from_request_to_sms(observed, order_id)
    assert_nobody_is_named(observed)

    # Nothing else was traced: none of it began a trace of its own, by the share of 0.
    assert {span.trace_id for span in observed.collector.spans} == {TRACE_ID}
    assert observed.sentry.events == []


def assert_lines_lead_from_request_to_sms(observed: Observed, order_id: int) -> None:
    """By the request's id: it came, the order was confirmed, each message was sent."""
    shop = observed.shop
    wait_until(lambda: len(observed.lines_of("order-of-amina")) >= 6, "all lines are written")
    lines = observed.lines_of("order-of-amina")
    [came] = [line for line in lines if line["logger"] == "grocery.access"]
    assert (came["role"], came["method"], came["route"], came["status"]) == ("api", "POST", "/orders/", 201)
    assert (came["order_id"], came["trace_id"]) == (order_id, TRACE_ID)
    [confirmed] = [line for line in lines if line["message"] == f"order {order_id} is confirmed"]
    assert (confirmed["role"], confirmed["order_id"]) == ("worker-orders", order_id)
    assert len(confirmed["job"]) == 36
    [(sms_id, provider_id)] = shop.sql("SELECT id, provider_id FROM notifications WHERE channel = 'sms'")
    [by_sms] = [line for line in lines if line.get("notification_id") == sms_id]
    assert by_sms["message"].startswith(f"notification {sms_id}, order_placed by sms: sent in ")
    assert (by_sms["role"], by_sms["order_id"]) == ("worker-notify", order_id)
    assert provider_id.startswith("ATXid_")
    assert by_sms["provider_id"] == provider_id
    assert {line["trace_id"] for line in lines} == {TRACE_ID}

    assert_page_shows_how_to_find(observed, "order-of-amina", len(lines))
    assert {field for name in PROCESSES for line in observed.lines(name) for field in line} <= documented_fields()


def assert_trace_leads_from_request_to_sms(observed: Observed, order_id: int) -> None:
    """The request, its statements, the job that it caused, the call of the provider."""

    def is_whole() -> bool:
        return {"POST /orders/", "process order", "send sms"} <= {span.name for span in observed.collector.spans}

    wait_until(is_whole, "the spans have come in")
    spans = observed.collector.trace(TRACE_ID)
    by_name = {span.name: span for span in spans}
    request = by_name["POST /orders/"]
    assert (request.service, request.kind, request.parent_id) == ("grocery-api", "server", PARENT_ID)
    assert request.attributes["http.response.status_code"] == 201
    assert request.attributes["grocery.request_id"] == "order-of-amina"
    statements = [span for span in spans if span.parent_id == request.span_id and "db.query.text" in span.attributes]
    assert any("INSERT INTO orders" in span.attributes["db.query.text"] for span in statements)
    assert by_name["ring orders"].parent_id == by_name["COMMIT"].parent_id == request.span_id
    job = by_name["process order"]
    assert (job.service, job.parent_id) == ("grocery-worker-orders", request.span_id)
    assert job.attributes["grocery.order_id"] == order_id
    assert "UPDATE orders" in {span.name for span in spans if span.parent_id == job.span_id}
    sms = by_name["send sms"]
    assert (sms.service, sms.kind, sms.parent_id) == ("grocery-worker-notify", "client", request.span_id)
    assert (sms.attributes["grocery.outcome"], sms.attributes["grocery.event"]) == ("sent", "order_placed")


def test_what_fails_is_told_without_what_it_was_about(customer: dict[str, str], observed: Observed) -> None:
    shop = observed.shop
    # Faults of the program, as it sees them: what it needs is not there.
    shop.sql("ALTER TABLE shopping_lists RENAME TO away; ALTER TABLE channels RENAME TO gone")
    try:
        sent = {**customer, "X-Request-ID": "the-list", "traceparent": f"00-{TRACE_ID}-{PARENT_ID}-01"}
        answer = shop.post("/lists/", json={"name": "For Wanjiku, 0733 444 555"}, headers=sent)
        assert answer.status_code == 500, answer.text
        shop.post("/auth/password/forgot", json={"email": CUSTOMER["email"]})
        wait_until(lambda: {"api", "worker-notify"} <= roles(observed), "both errors are told")
    finally:
        shop.sql("ALTER TABLE away RENAME TO shopping_lists; ALTER TABLE gone RENAME TO channels")
    [event] = [event for event in observed.sentry.events if event["tags"]["role"] == "api"]
    assert event["tags"]["request_id"] == "the-list"
    assert event["tags"]["trace_id"] == TRACE_ID
    assert (event["environment"], event["release"][:8], event["level"]) == ("development", "grocery@", "error")
    assert event["exception"]["values"][-1]["type"] == "ProgrammingError"
    assert event["exception"]["values"][-1]["stacktrace"]["frames"][-1]["function"]
    assert not {"request", "user", "extra", "breadcrumbs", "modules"} & event.keys()
    assert not any("vars" in frame for value in event["exception"]["values"] for frame in value["stacktrace"]["frames"])
    failed = next(event for event in observed.sentry.events if event["tags"]["role"] == "worker-notify")
    assert failed["logentry"]["message"].startswith("job ")
    wait_until(lambda: bool(observed.collector.trace(TRACE_ID)), "the trace has come in")
    request = next(span for span in observed.collector.trace(TRACE_ID) if span.kind == "server")
    assert (request.name, request.error) == ("POST /lists/", "500")
    [(name, seen)] = request.events
    assert (name, seen["exception.type"]) == ("exception", "sqlalchemy.exc.ProgrammingError")
    assert "handle_unexpected" not in seen["exception.stacktrace"]
    assert_nobody_is_named(observed)


def test_a_collector_that_hangs_keeps_nobody_waiting(
    observed: Observed, customer: dict[str, str], product: dict[str, Any]
) -> None:
    shop = observed.shop
    observed.collector.hangs = observed.sentry.hangs = True
    sent = {**customer, "traceparent": f"00-{TRACE_ID}-{PARENT_ID}-01"}
    took = []
    for _ in range(3):
        with stopwatch() as watch:
            assert order(shop, sent, product).status_code == 201
        took.append(watch.seconds)
    shop.sms.wait_for(3)
    assert min(took) < 1
    lines = observed.lines("api") + observed.lines("worker-orders")
    assert {line["message"] for line in lines if line["level"] == "WARNING"} <= {
        "the collector of traces does not take them, trying again in 30 s"
    }
    wait_until(lambda: not shop.sql("SELECT 1 FROM orders WHERE status = 'pending'"), "all are confirmed")


def assert_page_shows_how_to_find(observed: Observed, request_id: str, number: int) -> None:
    """What the page says about finding a request does find it."""
    [script] = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    done = subprocess.run(
        ["bash", "-c", script.replace("REQUEST_ID", request_id)],
        cwd=observed.shop.logs.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(done.stdout.splitlines()) >= number


def documented_fields() -> set[str]:
    rows = [line.split("|")[1] for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    return {field for row in rows for field in re.findall(r"`(\w+)`", row)}


def roles(observed: Observed) -> set[str]:
    return {event["tags"]["role"] for event in observed.sentry.events}


def assert_nobody_is_named(observed: Observed) -> None:
    text = observed.text()
    people = (CUSTOMER["name"], CUSTOMER["email"], "712345678", "Wanjiku", "+254733", "0733 ")
    words = (*people, "Maize Flour", "189.00", "Bearer", "eyJ")
    assert [word for word in words if word in text] == []
