"""What the callbacks' addresses make of forms that are none, of wrong secrets, and of a database that is away."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from grocery.app import create_app
from grocery.config import load_settings
from grocery.errors import NotFoundError
from grocery.logs import JsonFormatter, TextFormatter
from grocery.notify.receipts.oddities import Oddities, masked
from grocery.notify.receipts.secret import check_secret
from tests.conftest import IsolatedClient
from tests.fakes.africastalking import Callbacks
from tests.notify.clients import PHONE
from tests.notify.factories import find_notification
from tests.notify.receipts.conftest import BASE, SECRET, Sql
from tests.notify.receipts.factories import make_sent, reports

GOOD = {"id": "ATXid_1", "status": "Success", "phoneNumber": PHONE}


def without(name: str) -> dict[str, str]:
    return {field: value for field, value in GOOD.items() if field != name}


BAD = {
    "nothing": {},
    "no id": {"data": without("id")},
    "no status": {"data": without("status")},
    "no number": {"data": without("phoneNumber")},
    "empty id": {"data": {**GOOD, "id": " "}},
    "no such number": {"data": {**GOOD, "phoneNumber": "+254"}},
    "a name for a number": {"data": {**GOOD, "phoneNumber": "SAFARICOM"}},
    "long id": {"data": {**GOOD, "id": "x" * 10_000}},
    "long reason": {"data": {**GOOD, "failureReason": "x" * 10_000}},
    "NUL": {"data": {**GOOD, "id": "ATXid_1\0"}},
    "control character": {"data": {**GOOD, "status": "Success\x1b[2J"}},
    "repeated field": {"data": {**GOOD, "id": ["ATXid_1", "ATXid_2"]}},
    "not UTF-8": {
        "data": b"id=ATXid_1&status=Success&phoneNumber=%FF%FE",
        "content_type": "application/x-www-form-urlencoded",
    },
    "JSON": {"json": GOOD},
    "text": {"data": "id=ATXid_1&status=Success", "content_type": "text/plain"},
    "a file": {"data": {**without("id"), "id": (BytesIO(b"ATXid_1"), "id.txt")}},
}


class TestBadForms:
    @pytest.mark.parametrize("sent", BAD.values(), ids=BAD.keys())
    def test_report_is_counted_and_stores_nothing(self, app: Flask, client: FlaskClient, sent: dict[str, Any]) -> None:
        sms, counts = make_sent(), app.extensions["oddities"].counts
        before, seen = find_notification(sms), counts.total()

        answer = client.post(f"{BASE}/delivery", **sent)

        assert (answer.status_code, answer.data) == (200, b"")
        assert counts.total() == seen + 1
        assert find_notification(sms) == before
        assert reports() == []

    @pytest.mark.parametrize(
        "sent",
        [
            {},
            {"data": {"senderId": "SHOP"}},
            {"data": {"phoneNumber": "SAFARICOM"}},
            {"data": {"phoneNumber": [PHONE, "+254711000002"]}},
            {"data": {"phoneNumber": PHONE, "senderId": "x" * 10_000}},
            {"data": {"phoneNumber": f"{PHONE}\0"}},
            {"json": {"phoneNumber": PHONE}},
        ],
    )
    def test_opt_out_is_counted_and_stores_nothing(
        self, app: Flask, client: FlaskClient, run_sql: Sql, sent: dict[str, Any]
    ) -> None:
        seen = app.extensions["oddities"].counts["bad form for take_opt_out"]

        answer = client.post(f"{BASE}/opt-out", **sent)

        assert (answer.status_code, answer.data) == (200, b"")
        assert app.extensions["oddities"].counts["bad form for take_opt_out"] == seen + 1
        assert run_sql("SELECT count(*) FROM suppressions") == [(0,)]

    def test_body_beyond_the_limit_is_refused(self, client: FlaskClient) -> None:
        answer = client.post(f"{BASE}/delivery", data={**GOOD, "more": "x" * (1024 * 1024)})

        assert (answer.status_code, (answer.json or {})["code"]) == (413, "too_large")
        assert reports() == []

    def test_fields_that_the_provider_may_add_are_ignored(self, client: FlaskClient) -> None:
        sms = make_sent()

        client.post(f"{BASE}/delivery", data={**GOOD, "retryCount": "", "failureReason": "", "cost": "KES 0.8000"})

        assert reports() == [("ATXid_1", "Success", sms)]

    def test_network_and_retries_are_kept(self, client: FlaskClient, run_sql: Sql) -> None:
        client.post(f"{BASE}/delivery", data={**GOOD, "networkCode": "63902", "retryCount": "2"})
        client.post(f"{BASE}/delivery", data={**GOOD, "id": "ATXid_2", "retryCount": "many"})

        kept = "SELECT provider_id, network_code, retry_count, failure_reason FROM delivery_reports ORDER BY id"
        assert run_sql(kept) == [("ATXid_1", "63902", 2, None), ("ATXid_2", None, None, None)]

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_other_methods(self, client: FlaskClient, method: str) -> None:
        assert client.open(f"{BASE}/delivery", method=method, data=GOOD).status_code == 405
        assert reports() == []


class TestSecret:
    @pytest.mark.parametrize("secret", ["x", SECRET[:-1], f"{SECRET}x", SECRET.upper(), "%00", "%F0%9F%8D%85", "…"])
    @pytest.mark.parametrize("path", ["delivery", "opt-out"])
    def test_wrong_one_reads_like_an_address_that_is_not_there(
        self, client: FlaskClient, run_sql: Sql, path: str, secret: str
    ) -> None:
        wrong = client.post(f"/notify/sms/{secret}/{path}", data=GOOD, headers={"X-Request-ID": "a"})
        missing = client.post("/no/such/address", data=GOOD, headers={"X-Request-ID": "a"})

        assert wrong.status_code == 404
        assert (wrong.data, list(wrong.headers)) == (missing.data, list(missing.headers))
        assert reports() == []
        assert run_sql("SELECT count(*) FROM suppressions") == [(0,)]

    @pytest.mark.parametrize("secret", ["", "x", "\ud800"])
    def test_nothing_fits_an_empty_one(self, secret: str) -> None:
        with pytest.raises(NotFoundError):
            check_secret(secret, "")

    def test_right_one_passes(self) -> None:
        check_secret(SECRET, SECRET)


class Gathering(logging.Handler):
    """Formats every record as our own log would, in both formats."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._formatters = (TextFormatter(), JsonFormatter())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += [formatter.format(record) for formatter in self._formatters]


@contextmanager
def gathered_logs() -> Iterator[list[str]]:
    gathering, root = Gathering(), logging.getLogger()
    level = root.level
    root.addHandler(gathering)
    root.setLevel(logging.DEBUG)
    try:
        yield gathering.lines
    finally:
        root.removeHandler(gathering)
        root.setLevel(level)


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """The app on loopback, by the server of `flask run`."""
    server = make_server("127.0.0.1", 0, app)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class TestLogs:
    def test_secret_number_and_form_are_in_no_line(
        self, app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(app.extensions, "oddities", Oddities())  # one that has logged nothing in this minute
        make_sent()
        with gathered_logs() as lines:
            client.post(f"{BASE}/delivery", data=GOOD)
            client.post(f"{BASE}/delivery", data={**GOOD, "phoneNumber": "+254711000002"})
            client.post(f"{BASE}/delivery", data={**GOOD, "id": "", "failureReason": f"{BASE} hush"})
            client.post(f"{BASE}/opt-out", data={"phoneNumber": "hush"})
            client.post(f"{BASE}/opt-out", data={"phoneNumber": PHONE})
            client.post(f"/notify/sms/{SECRET}x/delivery", data=GOOD)
            client.get(f"{BASE}/delivery")
            app.logger.error("Exception on %s [%s]", f"{BASE}/delivery", "POST")
            try:
                raise RuntimeError(f"http://shop.example{BASE}/ussd?x=1 and /notify/mail/{SECRET}/bounce")
            except RuntimeError:
                app.logger.exception("failed")

        written = "\n".join(lines)
        assert "Exception on /notify/sms/…/delivery [POST]" in written
        assert "http://shop.example/notify/sms/…/ussd?x=1 and /notify/mail/…/bounce" in written
        assert "bad form for take_delivery_report" in written
        assert "+254…002" in written
        assert [word for word in (SECRET, PHONE, "254711000002", "hush") if word in written] == []

    def test_view_that_fails_tells_no_secret(
        self, app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Broken:
            def note(self, *_: object) -> None:
                raise RuntimeError("broken")

        monkeypatch.setitem(app.extensions, "oddities", Broken())
        with gathered_logs() as lines:
            assert client.post(f"{BASE}/delivery", data={}).status_code == 500
        written = "\n".join(lines)
        assert "RuntimeError: broken" in written
        assert SECRET not in written

    def test_development_servers_line_for_each_request_tells_no_secret(
        self, app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "werkzeug")
        with gathered_logs() as lines, serving(app) as origin:
            callbacks = Callbacks(f"{origin}{BASE}")
            assert callbacks.deliver("ATXid_1", PHONE, "Success").status == 200

        written = "\n".join(lines)
        assert '"POST /notify/sms/…/delivery HTTP/1.1" 200' in written
        assert SECRET not in written

    def test_one_of_a_kind_is_logged_in_a_minute(self, caplog: pytest.LogCaptureFixture) -> None:
        moments = iter([0.0, 1.0, 59.9, 60.0, 61.0])
        oddities = Oddities(clock=lambda: next(moments))

        for kind in ("a", "a", "a", "a", "b"):
            oddities.note(kind, "so")

        assert caplog.messages == [
            "a: so (1 since the start)",
            "a: so (4 since the start)",
            "b: so (1 since the start)",
        ]
        assert oddities.counts == {"a": 4, "b": 1}

    def test_number_is_masked(self) -> None:
        assert masked(PHONE) == "+254…001"


def test_database_that_is_away_answers_503_so_that_the_report_comes_again(environ: dict[str, str]) -> None:
    away = load_settings({**environ, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"})
    app = create_app(away)

    with gathered_logs() as lines:
        answer = IsolatedClient(app, app.response_class).post(f"{BASE}/delivery", data=GOOD)

    assert (answer.status_code, (answer.json or {})["code"]) == (503, "database_unavailable")
    assert SECRET not in "\n".join(lines)
