"""Traces as they leave a process: into a real collector's protocol, and past one that is away."""

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from contextvars import copy_context
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from grocery import tracing
from grocery.app import create_app
from grocery.config import Settings
from grocery.db import db, reader, transaction
from grocery.origins import Origin, current_origin, working_on
from grocery.tracing.collector import Collector
from grocery.tracing.statements import describe
from tests.fakes.collector import FakeCollector, Seen
from tests.waiting import Stopwatch, stopwatch

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT_ID = "00f067aa0ba902b7"
SAMPLED = f"00-{TRACE_ID}-{PARENT_ID}-01"


@pytest.fixture
def collector() -> Iterator[FakeCollector]:
    """A collector that all of this process's traces are sent to."""
    with FakeCollector() as collector:
        tracing.start(collector.url, 1.0)
        yield collector
        tracing.start(None, 0)


def sent(collector: FakeCollector) -> dict[str, Seen]:
    """The spans that are finished, by their names."""
    tracing.flush()
    return {span.name: span for span in collector.spans}


def test_a_trace_goes_on_where_its_traceparent_comes_from(collector: FakeCollector) -> None:
    with tracing.root("one", {"a.b": 1, "nothing": None}, kind="server", parent=SAMPLED):
        carried = tracing.traceparent()
        with tracing.child("two", kind="client"):
            pass
    assert carried is not None
    with tracing.root("job"), working_on(Origin("abc-1", carried), "three", order_id=5):
        pass
    spans = sent(collector)
    one, two, three, job = (spans[name] for name in ("one", "two", "three", "job"))
    assert (one.trace_id, one.parent_id, one.kind, one.attributes) == (TRACE_ID, PARENT_ID, "server", {"a.b": 1})
    assert (two.trace_id, two.parent_id, two.kind) == (TRACE_ID, one.span_id, "client")
    assert (three.trace_id, three.parent_id, three.links) == (TRACE_ID, one.span_id, [job.span_id])
    assert three.attributes == {"grocery.order_id": 5}
    assert (job.trace_id == TRACE_ID, job.parent_id) == (False, "")


def test_what_is_not_sampled_elsewhere_is_not_sampled_here(collector: FakeCollector) -> None:
    with tracing.root("one", parent=SAMPLED[:-2] + "00"):
        assert tracing.traceparent() == f"00-{TRACE_ID}-{tracing.ids()['span_id']}-00"
        with tracing.child("two") as span:
            assert span is None
    with tracing.root("three", parent="00-nonsense"):
        pass
    assert list(sent(collector)) == ["three"]


def test_a_share_of_none_begins_no_trace_and_carries_on_others() -> None:
    with FakeCollector() as collector:
        tracing.start(collector.url, 0.0)
        with tracing.root("own"), tracing.child("part"):
            pass
        with tracing.root("another's", parent=SAMPLED):
            pass
        assert list(sent(collector)) == ["another's"]
        tracing.start(None, 0)


def test_statements_are_spans_without_their_values(collector: FakeCollector, context: None) -> None:
    with tracing.root("work"):
        with transaction() as session:
            session.execute(text("SELECT name FROM customers WHERE email = :email"), {"email": "amina@example.com"})
        with reader() as connection:
            connection.execute(text("SELECT 1 WHERE :word = 'x'"), {"word": "Wanjiku"})
    with reader() as connection:
        connection.execute(text("SELECT 2"))  # of no work that is traced
    spans = sent(collector)
    assert set(spans) == {"work", "SELECT customers", "COMMIT", "SELECT"}
    assert spans["SELECT customers"].attributes == {
        "db.system.name": "postgresql",
        "db.query.text": "SELECT name FROM customers WHERE email = %(email)s",
    }
    assert spans["SELECT customers"].parent_id == spans["work"].span_id
    assert not [word for word in (b"amina", b"Wanjiku") if any(word in posted.body for posted in collector.posted)]


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("WITH due AS (SELECT id FROM a FOR UPDATE SKIP LOCKED) UPDATE b SET x = 1 FROM due", "UPDATE b"),
        ("WITH due AS (SELECT id FROM a) SELECT * FROM due", "WITH a"),
        ("SELECT FROM a WHERE id = 1 FOR NO KEY UPDATE; INSERT INTO b VALUES (1)", "SELECT a"),
        ("\n  INSERT INTO a (b) SELECT x FROM c", "INSERT a"),
        ("DELETE FROM a USING b", "DELETE a"),
        ("SAVEPOINT sa_savepoint_1", "SAVEPOINT"),
        ("SELECT x FROM unnest(ARRAY[1]) JOIN (SELECT FROM b) ON true", "SELECT b"),
    ],
)
def test_a_statement_is_named_by_what_it_does(statement: str, name: str) -> None:
    assert describe(statement)[0] == name


def test_a_statement_that_fails_says_how_and_the_next_one_is_its_own(collector: FakeCollector, context: None) -> None:
    with tracing.root("work"), reader() as connection:
        with pytest.raises(ProgrammingError):
            connection.execute(text("SELECT * FROM nowhere WHERE :name = 'x'"), {"name": "amina"})
        connection.execute(text("SELECT 1 FROM customers"))
    spans = sent(collector)
    failed = spans["SELECT nowhere"]
    assert (failed.error, failed.attributes["db.response.status_code"]) == ("UndefinedTable", "42P01")
    assert (spans["SELECT customers"].error, spans["work"].error) == (None, None)


def test_an_error_is_noted_by_its_kind_and_place_only(collector: FakeCollector) -> None:
    email, phone = "amina@example.com", "+254712345678"

    def break_off() -> None:
        with tracing.root("raising"):
            raise ValueError(email)

    with pytest.raises(ValueError, match="amina"):
        break_off()
    with tracing.root("logging"):
        try:
            raise KeyError(phone)
        except KeyError:
            logging.getLogger("grocery.test").exception("it went wrong")
    spans = sent(collector)
    assert (spans["raising"].error, spans["logging"].error) == ("ValueError", "KeyError")
    [(name, attributes)] = spans["raising"].events
    assert (name, attributes["exception.type"]) == ("exception", "builtins.ValueError")
    assert "in break_off" in attributes["exception.stacktrace"]
    assert not [word for word in (b"amina", b"2547") if any(word in posted.body for posted in collector.posted)]


def test_a_request_is_a_span_by_its_template(collector: FakeCollector, client: FlaskClient) -> None:
    client.get("/products/4711?q=amina", headers={"traceparent": SAMPLED, "X-Request-ID": "abc-1"})
    client.get("/healthz", headers={"traceparent": SAMPLED})
    spans = sent(collector)
    span = next(span for span in spans.values() if span.kind == "server")
    assert span.name == "GET /products/<int:product_id>"
    assert (span.trace_id, span.parent_id) == (TRACE_ID, PARENT_ID)
    assert span.attributes == {
        "http.request.method": "GET",
        "http.route": "/products/<int:product_id>",
        "http.response.status_code": 404,
        "grocery.request_id": "abc-1",
    }
    assert [other for other in spans.values() if other.parent_id == span.span_id]
    assert not [posted for posted in collector.posted if b"4711" in posted.body or b"amina" in posted.body]


def test_each_fork_sends_its_own(collector: FakeCollector) -> None:
    """As workers of RQ do: the parent makes no span before it forks, and the fork ends without a word."""
    for _ in range(2):
        child = os.fork()
        if child == 0:
            try:
                with working_on(Origin("abc-1", SAMPLED), "in a fork"):
                    pass
                tracing.flush()
            finally:
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    with tracing.root("in the parent", parent=SAMPLED):
        pass
    tracing.flush()
    names = sorted(span.name for span in collector.spans)
    assert names == ["in a fork", "in a fork", "in the parent"]


def test_a_collector_that_is_away_is_left_alone_by_all_forks(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as silent:  # takes connections and says nothing
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        tracing.start(f"http://127.0.0.1:{silent.getsockname()[1]}", 1.0)
        try:
            took = [_forked_flush().seconds for _ in range(4)]
        finally:
            tracing.start(None, 0)
    # The first one waits for a second, the others know.
    assert sum(took[1:]) < took[0] + 1
    assert took[0] < 10


def test_a_collector_that_drips_its_answer_holds_up_no_end_of_a_job() -> None:
    """Each byte comes before the time-out for a read, the whole answer never."""
    is_over = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            while not is_over.wait(0.2):
                connection.sendall(b"H")

    with socket.create_server(("127.0.0.1", 0)) as server:
        dripping = threading.Thread(target=drip, args=(server,))
        dripping.start()
        tracing.start(f"http://127.0.0.1:{server.getsockname()[1]}", 1.0)
        try:
            took = _forked_flush()
        finally:
            is_over.set()
            tracing.start(None, 0)
            dripping.join()
    assert took.of_the_clock > 1.5
    assert took.seconds < 8


def _forked_flush() -> Stopwatch:
    with stopwatch() as watch:
        child = os.fork()
        if child == 0:
            try:
                with tracing.root("work"):
                    pass
                tracing.flush()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
    return watch


def test_the_pause_of_a_collector_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    collector = Collector("http://127.0.0.1:1")
    assert not collector.is_left_alone
    collector.leave_alone()
    assert collector.is_left_alone
    now = time.monotonic()
    monkeypatch.setattr("grocery.tracing.collector.monotonic", lambda: now + 31)
    assert not collector.is_left_alone


def test_spans_do_not_leak_into_other_work(collector: FakeCollector, context: None) -> None:
    def handle() -> str | None:
        with tracing.root("request"):
            pass
        return tracing.traceparent()

    assert copy_context().run(handle) is None
    assert current_origin().traceparent is None
    with db.engine.connect() as connection:
        assert not any(connection.info.get("grocery.spans", []))


@pytest.mark.parametrize("module", ["wsgi", "grocery.worker", "grocery.stream.server"])
def test_nothing_is_loaded_without_a_collector_and_sentry(module: str, environ: dict[str, str]) -> None:
    # redis-py loads what it finds of OpenTelemetry's metrics, but not this.
    unwanted = {"opentelemetry.sdk.trace", "opentelemetry.proto", "sentry_sdk"}
    code = f"import sys, {module}; print({unwanted} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **environ}, capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stdout + done.stderr


def test_the_end_of_a_process_sends_what_is_left(environ: dict[str, str]) -> None:
    """One that ends by itself, and one that `multiprocessing` has forked, as granian's workers are."""
    code = """
import multiprocessing, sys
from grocery import tracing
from grocery.app import create_app
from grocery.config import Settings
def work(name):
    with tracing.root(name):
        pass
tracing.start(sys.argv[1], 1.0)
child = multiprocessing.get_context("fork").Process(target=work, args=("forked",))
child.start()
child.join()
work("alone")
"""
    with FakeCollector() as collector:
        subprocess.run([sys.executable, "-c", code, collector.url], check=True, timeout=60)
        assert sorted(span.name for span in collector.spans) == ["alone", "forked"]


def test_the_settings_start_it(settings: Settings) -> None:
    create_app(replace(settings, otel_exporter_otlp_endpoint="http://127.0.0.1:1"))
    assert tracing.is_on()
    create_app(settings)
    assert not tracing.is_on()
